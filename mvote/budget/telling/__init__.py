"""Telling: who learns in their inbox what became of a proposal or of a cycle."""
