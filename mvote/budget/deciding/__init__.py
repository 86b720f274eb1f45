"""From counted votes to money spent: statements, allocation, the plenary's word, the council's."""
