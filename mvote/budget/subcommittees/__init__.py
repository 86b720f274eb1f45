"""Subcommittees: what members prefer, and who sits where in the end."""
