"""Polls: drafting, opening, who may vote, closing, results.

In the order of a poll's life: `drafting`, `hindrances`, `opening`, which freezes the `definition`;
`eligibility` and `proving` say who may vote, and from where; `governing` closes early, extends and
voids by two officers; `results` says what may be seen. `rolls` has the lists of who is asked by
name, `onsite` screens and slips, `integrity` what is asked of positions.
"""
