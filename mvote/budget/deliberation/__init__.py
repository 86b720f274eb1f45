"""Deliberating: who judges a proposal, the recorded vote, its count, and what follows from it."""
