"""Reviewing: who has no part in a proposal, who reads it, and what each says of it."""
