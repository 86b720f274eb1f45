"""Drawing a committee by lot, with quotas and reserves, so that anybody can repeat it.

`lots` makes the seed and the order, `quotas` says what must come out, `draw` goes down the list,
`published` is what a stranger needs. Whether the remaining seats can still meet every quota is a
question on whole numbers: `system` states it, `feasibility` answers it, `refuting` proves a no.
"""
