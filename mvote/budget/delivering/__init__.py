"""Delivering: what the city builds of what was enacted, and how far it is."""
