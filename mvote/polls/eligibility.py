"""Why somebody may not vote: one evaluator, for the answer beforehand and for the refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mvote.errors import DomainError
from mvote.people.voters import Voter
from mvote.polls.definition import Eligibility, FrozenPoll
from mvote.polls.errors import NotConfirmed, NotEligible, NotInRoom, NotOnRoll


def reasons_not_to_vote(
    poll: FrozenPoll, voter: Voter, presence: list[DomainError], *, knows_password: bool
) -> list[DomainError]:
    """Every reason why *voter* may not vote in *poll*, who they are first, where they are second.

    *presence* holds the reasons found in the voter's proof of presence; see `proven_presence`.
    *knows_password*: whether they gave the password of the poll's private room, if it has one.
    The state of the poll is no matter of this function: the slot decides it by the database's
    clock.
    """
    if poll.is_private and not knows_password:
        return [NotInRoom()]  # to whoever stands before the door nothing else is said
    unknown = [] if voter.anchor else [NotConfirmed()]
    return [*unknown, *_unmet_rules(poll, voter), *presence]


def _unmet_rules(poll: FrozenPoll, voter: Voter) -> Iterator[NotEligible]:
    rules = poll.eligibility
    for rule, asked, holds in RULES:
        if asked(rules) and not holds(poll, voter):
            yield NotOnRoll() if rule == "roll" else NotEligible(rule)
    if rules.verified_only and not _all_verified(rules, voter):
        yield NotEligible("verified_only")


def _belongs_there(poll: FrozenPoll, voter: Voter) -> bool:
    return any(_bases_that_match(poll.eligibility, voter))


def _bases_that_match(rules: Eligibility, voter: Voter) -> Iterator[str]:
    """The attributes by which the voter belongs to the poll's areas, or to any."""
    for name in (f"{basis}_area" for basis in rules.area_basis):
        lineage = _lineage(voter, name)
        if lineage if rules.anywhere else not set(rules.areas).isdisjoint(lineage):
            yield name


def _is_excluded(poll: FrozenPoll, voter: Voter) -> bool:
    return any(_value(voter, name) is True for name in poll.eligibility.excluded)


def _is_on_roll(_: FrozenPoll, voter: Voter) -> bool:
    return voter.is_on_roll


def _is_old_enough(poll: FrozenPoll, voter: Voter) -> bool:
    age = _age(poll, voter)
    return age is not None and age >= (poll.eligibility.min_age or 0)


def _is_young_enough(poll: FrozenPoll, voter: Voter) -> bool:
    age = _age(poll, voter)
    return age is not None and age <= (poll.eligibility.max_age or 0)


def _age(poll: FrozenPoll, voter: Voter) -> int | None:
    """Completed years at the end of the year in which the poll opens."""
    born = _value(voter, "birth_year")
    return poll.year - born if born is not None else None


RULES: tuple[
    tuple[str, Callable[[Eligibility], object], Callable[[FrozenPoll, Voter], bool]], ...
] = (
    ("roll", lambda rules: rules.roll, _is_on_roll),
    ("areas", lambda rules: rules.areas or rules.anywhere, _belongs_there),
    ("min_age", lambda rules: rules.min_age is not None, _is_old_enough),
    ("max_age", lambda rules: rules.max_age is not None, _is_young_enough),
    (
        "genders",
        lambda rules: rules.genders,
        lambda poll, voter: _value(voter, "gender") in poll.eligibility.genders,
    ),
    (
        "occupations",
        lambda rules: rules.occupations,
        lambda poll, voter: _value(voter, "occupation") in poll.eligibility.occupations,
    ),
    ("excluded", lambda rules: rules.excluded, lambda poll, voter: not _is_excluded(poll, voter)),
)


def _all_verified(rules: Eligibility, voter: Voter) -> bool:
    """Whether somebody vouched for each fact the rules look at; if for none, then for any fact."""
    asked = [name for name, used in _facts_asked(rules) if used]
    if rules.areas or rules.anywhere:
        if not any(_is_verified(voter, basis) for basis in _bases_that_match(rules, voter)):
            return False
    elif not asked:
        return any(_is_verified(voter, name) for name in voter.attributes)
    return all(_is_verified(voter, name) for name in asked)


def _facts_asked(rules: Eligibility) -> list[tuple[str, bool]]:
    return [
        ("birth_year", rules.min_age is not None or rules.max_age is not None),
        ("gender", bool(rules.genders)),
        ("occupation", bool(rules.occupations)),
    ]


def _value(voter: Voter, name: str) -> Any:
    known = voter.attributes.get(name)
    return known.value if known else None


def _lineage(voter: Voter, name: str) -> Sequence[str]:
    """The codes of an area of the voter's and of all areas around it."""
    known = voter.attributes.get(name)
    return known.lineage if known else ()


def _is_verified(voter: Voter, name: str) -> bool:
    known = voter.attributes.get(name)
    return known is not None and known.verified
