"""The participatory budget: from a citizen's idea to money spent."""
