"""Rolls that organisers bring as files: read, checked, kept as keyed hashes only."""
