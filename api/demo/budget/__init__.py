"""The demo's cycles of the participatory budget: one in review, one in voting, one delivered.

Made by the use cases that serve HTTP: nothing is written past their rules.
"""
