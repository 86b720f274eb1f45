"""Which projects are funded, by a rule written down before the vote, and why each is or is not.

Pure functions over whole numbers and fractions: no database, no clock, no floating point in any
decision. `allocation.allocate` is the door; `cycle_rules.contest_of` reads a cycle's JSON.
"""
