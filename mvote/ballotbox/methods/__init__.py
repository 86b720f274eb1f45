"""Methods: what follows from ranked ballots, in whole numbers, as pure functions.

Options are named by their place in the question; a ballot is its marks (the rank of each option,
0 for none) and how many ballots are like it. Nothing is rounded and nothing depends on the order
in which ballots come.
"""
