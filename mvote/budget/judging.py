"""What a committee's vote on an item means: quorum, majority, recusal.

E is the number of filled voting seats without those recused for this item, P of yes, no and
abstain together. A vote is quorate if P > E·q and carried if, besides, yes > P·c; q and c are exact
fractions, so a tie at one half is not carried. Where E is below the floor, the fallback body
judges, and if that is too small as well, reserves are sworn in for the item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Literal

from mvote.errors import DomainError
from mvote.wording import Message, say

Vote = Literal["yes", "no", "abstain"]
Seat = str


class QuorumImpossible(DomainError):
    """Vacant seats and recusals leave too few; facts say how many, and who can help."""

    code = "quorum-not-reached"
    title: ClassVar[Message] = say("So few may judge this that no quorum is possible.")
    next_step: ClassVar[Message] = say(
        "Fill the vacant seats, draw more reserves, or appoint further members with a vote."
    )


@dataclass(frozen=True, kw_only=True)
class Majority:
    """The rule of a cycle: `{"more_than": "1/2", "floor": 5}` and `{"more_than": "1/2"}`."""

    quorum: Fraction
    carried: Fraction
    floor: int

    @classmethod
    def of(cls, *, quorum: Mapping[str, Any], carried: Mapping[str, Any]) -> Majority:
        """Read from a cycle's `review`; raises ValueError for what is no fraction below 1."""
        q, c = Fraction(quorum["more_than"]), Fraction(carried["more_than"])
        if not (0 <= q < 1 and 0 <= c < 1):
            raise ValueError("a majority is a fraction from 0 to below 1")
        return cls(quorum=q, carried=c, floor=quorum.get("floor", 1))


@dataclass(frozen=True, kw_only=True)
class Ballots:
    """A recorded vote on one item: who sits with a vote, who is recused, who voted how."""

    filled: frozenset[Seat]
    recused: frozenset[Seat]
    votes: Mapping[Seat, Vote]

    @property
    def entitled(self) -> frozenset[Seat]:
        return self.filled - self.recused

    @property
    def annulled(self) -> frozenset[Seat]:
        """Whose vote was recorded and does not count: a recusal was found later."""
        return self.recused & self.votes.keys()

    def recusing(self, *seats: Seat) -> Ballots:
        """The same vote after more recusals were found."""
        return replace(self, recused=self.recused.union(seats))


@dataclass(frozen=True, kw_only=True)
class Judgment:
    """The count and what it means. E is `entitled`, P is `present`."""

    entitled: int
    yes: int
    no: int
    abstain: int
    enough_seats: bool
    quorate: bool
    carried: bool

    @property
    def present(self) -> int:
        return self.yes + self.no + self.abstain


def judge(ballots: Ballots, rule: Majority) -> Judgment:
    """Count *ballots*; votes of the recused are left out, and they are in no quorum."""
    counted = [vote for seat, vote in ballots.votes.items() if seat in ballots.entitled]
    entitled, present, yes = len(ballots.entitled), len(counted), counted.count("yes")
    enough = entitled >= max(rule.floor, 1)
    quorate = enough and present > entitled * rule.quorum
    return Judgment(
        entitled=entitled,
        yes=yes,
        no=counted.count("no"),
        abstain=counted.count("abstain"),
        enough_seats=enough,
        quorate=quorate,
        carried=quorate and yes > present * rule.carried,
    )


@dataclass(frozen=True, kw_only=True)
class Body:
    """A committee as it stands: its filled seats with a vote."""

    key: str
    filled: frozenset[Seat]


@dataclass(frozen=True, kw_only=True)
class Judges:
    """Who judges an item: the seats of a body, and the reserves sworn in for this item."""

    body: str
    seats: frozenset[Seat]
    sworn_in: tuple[Seat, ...] = ()


def judges_of(
    body: Body,
    rule: Majority,
    *,
    recused: frozenset[Seat],
    fallback: Body | None = None,
    reserves: Sequence[Seat] = (),
) -> Judges:
    """Who judges: *body*; below the floor the *fallback*; then with *reserves* in their order.

    Without a fallback the reserves join the body itself. Raises `QuorumImpossible` with everybody
    who can help: how many more are needed in which body, and which reserves are not recused.
    """
    bodies = [body, fallback] if fallback and fallback.key != body.key else [body]
    for each in bodies:
        if len(each.filled - recused) >= rule.floor:
            return Judges(body=each.key, seats=each.filled - recused)
    last = bodies[-1]
    seats = last.filled - recused
    able = [seat for seat in reserves if seat not in recused | last.filled]
    missing = rule.floor - len(seats)
    if len(able) < missing:
        raise impossible(bodies, rule, recused, able)
    sworn_in = tuple(able[:missing])
    return Judges(body=last.key, seats=seats.union(sworn_in), sworn_in=sworn_in)


def impossible(
    bodies: Sequence[Body], rule: Majority, recused: frozenset[Seat], able: Sequence[Seat] = ()
) -> QuorumImpossible:
    """Each body with what it has and lacks, and the reserves that could be sworn in."""
    named = [
        {
            "body": body.key,
            "filled": len(body.filled),
            "recused": sorted(body.filled & recused),
            "missing": rule.floor - len(body.filled - recused),
        }
        for body in bodies
    ]
    return QuorumImpossible(floor=rule.floor, bodies=named, reserves_who_can_help=list(able))
