"""Contests in a line, for the tests of allocation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from mvote.budget.allocating.model import Contest, Heading, Project, Rule, Source, Tally
from mvote.budget.drawing.lots import lot

Approvals = Mapping[Any, int]
"""How many ballots approve exactly this tuple of references."""
Election = tuple[dict[str, int], dict[Any, int], int]
"""Costs, approvals, limit."""
LETTERS = "abcdefgh"


def contest(
    costs: Mapping[str, int],
    votes: Mapping[str, int],
    limit: int | None,
    *,
    headings: Sequence[Heading] = (),
    under: Mapping[str, str] | None = None,
    struck: Sequence[str] = (),
    useful: Mapping[str, int] | None = None,
    max_projects: int | None = None,
    approvals: Approvals | None = None,
    seed: bytes = b"",
    **rule: Any,
) -> Contest:
    """A contest of one source; *under* gives projects their heading, *useful* their least part."""
    projects = tuple(
        Project(
            reference,
            cost,
            (under or {}).get(reference),
            reference in struck,
            (useful or {}).get(reference),
        )
        for reference, cost in costs.items()
    )
    rule["exclusive"] = tuple(map(frozenset, rule.get("exclusive", ())))
    return Contest(
        projects,
        (Source("citizens", Tally(votes, sum(votes.values()))),),
        limit,
        Rule(**rule),
        headings=tuple(headings),
        max_projects=max_projects,
        seed=seed,
        approvals=approvals,
    )


def approval_contest(
    costs: Mapping[str, int], approvals: Approvals, limit: int, **more: Any
) -> Contest:
    """A contest by equal shares (unless *more* says otherwise); the votes follow."""
    votes = {
        each: sum(count for marks, count in approvals.items() if each in marks) for each in costs
    }
    more.setdefault("rule", "equal_shares")
    return contest(costs, votes, limit, approvals=approvals, **more)


def plain_shares(costs: Mapping[str, int], approvals: Approvals, money: Fraction) -> list[str]:
    """Equal shares as it is defined, with fractions, voter by voter, slowly: a second opinion.

    Ties: lower cost, more votes, then the lot of an empty seed.
    """
    purses: list[tuple[Any, list[Fraction]]] = [
        (marks, [money]) for marks, count in approvals.items() for _ in range(count)
    ]
    funded: list[str] = []
    while True:
        offers = []
        for each in set(costs) - set(funded):
            held = sorted(purse[0] for marks, purse in purses if each in marks)
            if sum(held) < costs[each] or not held:
                continue
            need, payers, q = Fraction(costs[each]), len(held), Fraction(0)
            for purse in held:
                q = need / payers
                if purse >= q:
                    break
                need, payers = need - purse, payers - 1
            offers.append((-costs[each] / q, costs[each], -len(held), lot(b"", each), each, q))
        if not offers:
            return funded
        *_, best, q = min(offers)
        funded.append(best)
        for marks, left in purses:
            if best in marks:
                left[0] = max(left[0] - q, Fraction(0))


def elections(
    most_voters: int = 12,
) -> st.SearchStrategy[Election]:
    """Costs, approvals and a limit."""
    references = st.integers(2, len(LETTERS)).map(lambda size: list(LETTERS[:size]))

    def of(letters: list[str]) -> st.SearchStrategy[Election]:
        ballot = st.sets(st.sampled_from(letters), min_size=1).map(lambda s: tuple(sorted(s)))
        costs = st.fixed_dictionaries({each: st.integers(1, 60) for each in letters})
        return st.tuples(
            costs,
            st.dictionaries(ballot, st.integers(1, 4), min_size=1, max_size=most_voters),
            st.integers(1, 150),
        )

    return references.flatmap(of)
