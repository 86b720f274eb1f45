"""Polls: drafting, opening, who may vote, closing, results."""
