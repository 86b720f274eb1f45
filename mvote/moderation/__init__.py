"""Moderation: what people report, what is held back for it, and what an officer then decides."""
