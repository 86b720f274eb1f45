"""The demo on real Seoul: sites, polls and ballots to try everything with. Never in production.

It is made by the same use cases as real polls, so all that holds for them holds for it: nothing of
it can be changed or taken back afterwards, only made once more.
"""
