"""Who reads which proposal: drawn by lot, evenly, never the recused.

Every proposal gets exactly as many reviewers as it needs. The work is spread as evenly as recusals
allow: nobody could hand a proposal on, directly or along a chain, to somebody with two fewer; that
is known to be the best for every measure of evenness (Harvey, Ladner, Lovász, Tamir 2006).
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say

Reviewer = str
Reference = str
LABEL = b"mvote/assignment/1"


class NotEnoughReviewers(DomainError):
    """Fact `proposals`: for each that lacks reviewers, how many it needs and who is left."""

    code = "not-enough-reviewers"
    title: ClassVar[Message] = say("So many are recused that some proposals lack reviewers.")


def assign(
    proposals: Iterable[Reference],
    reviewers: Iterable[Reviewer],
    *,
    needed: int,
    recused: Iterable[tuple[Reviewer, Reference]],
    seed: bytes,
    kept: Mapping[Reference, Sequence[Reviewer]] | None = None,
) -> dict[Reference, tuple[Reviewer, ...]]:
    """For each proposal its *needed* reviewers (`opinions_min`), by name.

    What is *kept* (assigned before) stays, unless the reviewer is recused now or gone; only what is
    missing is drawn. The same seed gives the same, in whatever order proposals and reviewers come.
    Raises `NotEnoughReviewers` for all proposals that lack them.
    """
    work = _Work(set(reviewers), set(recused), seed)
    wanted = sorted(set(proposals))
    work.refuse_what_lacks_reviewers(wanted, needed)
    for proposal in wanted:
        work.keep(proposal, (kept or {}).get(proposal, ())[:needed])
    for proposal in sorted(wanted, key=work.lot):
        work.fill(proposal, needed)
    work.even_out()
    return {proposal: tuple(sorted(work.of[proposal])) for proposal in wanted}


class _Work:
    """Who has what so far."""

    def __init__(
        self, reviewers: set[Reviewer], recused: set[tuple[Reviewer, Reference]], seed: bytes
    ) -> None:
        self._recused, self._seed = recused, seed
        self._reviewers = sorted(reviewers)
        self._has: dict[Reviewer, set[Reference]] = {each: set() for each in self._reviewers}
        self._fixed: set[tuple[Reviewer, Reference]] = set()
        self.of: dict[Reference, set[Reviewer]] = {}

    def lot(self, *names: str) -> bytes:
        """The lot of these names together, each behind its length."""
        parts = (len(name.encode()).to_bytes(4, "big") + name.encode() for name in names)
        return hashlib.sha256(LABEL + self._seed + b"".join(parts)).digest()

    def may_read(self, proposal: Reference) -> list[Reviewer]:
        return [each for each in self._reviewers if (each, proposal) not in self._recused]

    def refuse_what_lacks_reviewers(self, proposals: Iterable[Reference], needed: int) -> None:
        left = {proposal: self.may_read(proposal) for proposal in proposals}
        lacking = [
            {"proposal": proposal, "needed": needed, "not_recused": who}
            for proposal, who in left.items()
            if len(who) < needed
        ]
        if lacking:
            raise NotEnoughReviewers(proposals=lacking)

    def keep(self, proposal: Reference, reviewers: Sequence[Reviewer]) -> None:
        """Note what was assigned before, to those who may still read it."""
        self.of[proposal] = set()
        for reviewer in set(reviewers) & set(self.may_read(proposal)):
            self._fixed.add((reviewer, proposal))
            self._give(reviewer, proposal)

    def fill(self, proposal: Reference, needed: int) -> None:
        """Give it to those who have least, by lot among equals."""
        free = [each for each in self.may_read(proposal) if each not in self.of[proposal]]
        free.sort(key=lambda each: (len(self._has[each]), self.lot(proposal, each)))
        for reviewer in free[: needed - len(self.of[proposal])]:
            self._give(reviewer, proposal)

    def even_out(self) -> None:
        """Hand on along chains until no chain leads to somebody with two fewer."""
        while chain := self._any_chain():
            for giver, proposal, taker in chain:
                self._has[giver].remove(proposal)
                self.of[proposal].remove(giver)
                self._give(taker, proposal)

    def _any_chain(self) -> list[tuple[Reviewer, Reference, Reviewer]]:
        """A chain from somebody who has much; only they need looking at."""
        least = min((len(has) for has in self._has.values()), default=0)
        much = [each for each in self._reviewers if len(self._has[each]) >= least + 2]
        much.sort(key=lambda each: -len(self._has[each]))
        return next(filter(None, map(self._chain_from, much)), [])

    def _chain_from(self, reviewer: Reviewer) -> list[tuple[Reviewer, Reference, Reviewer]]:
        """The shortest chain of handing on that ends with somebody who has two fewer."""
        reached: dict[Reviewer, tuple[Reviewer, Reference] | None] = {reviewer: None}
        waiting, enough = deque([reviewer]), len(self._has[reviewer]) - 2
        while waiting:
            giver = waiting.popleft()
            for taker, proposal in self._could_take_from(giver, reached):
                reached[taker] = (giver, proposal)
                if len(self._has[taker]) <= enough:
                    return _back(taker, reached)
                waiting.append(taker)
        return []

    def _could_take_from(
        self, giver: Reviewer, reached: Mapping[Reviewer, object]
    ) -> list[tuple[Reviewer, Reference]]:
        movable = [each for each in sorted(self._has[giver]) if (giver, each) not in self._fixed]
        found: dict[Reviewer, Reference] = {}
        for proposal in movable:
            for taker in self.may_read(proposal):
                if taker not in reached and taker not in self.of[proposal]:
                    found.setdefault(taker, proposal)
        return sorted(found.items(), key=lambda each: self.lot(each[1], each[0]))

    def _give(self, reviewer: Reviewer, proposal: Reference) -> None:
        self._has[reviewer].add(proposal)
        self.of[proposal].add(reviewer)


def _back(
    last: Reviewer, reached: Mapping[Reviewer, tuple[Reviewer, Reference] | None]
) -> list[tuple[Reviewer, Reference, Reviewer]]:
    """The chain that led to *last*, from its end: first who gives to *last*."""
    chain = []
    while step := reached[last]:
        chain.append((step[0], step[1], last))
        last = step[0]
    return chain
