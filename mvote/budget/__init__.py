"""The participatory budget: from a citizen's idea to money spent.

In the order of a year: `planning` a cycle, whose rules (`definition`) must not contradict
themselves (`contradictions`); `proposing`; `assessing` by departments; `forming` a committee and
`holding_draws` for its seats (`drawing`); `reviewing` and its vote (`deliberation`); `balloting`;
`deciding` by the frozen rule (`allocating`); `delivering`. `proposal` has the states that an idea
goes through, `telling` tells who is concerned, `pabulib` reads and writes files of elections.
"""
