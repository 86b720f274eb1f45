"""On the spot: screens whose code changes, and slips that a steward hands out."""
