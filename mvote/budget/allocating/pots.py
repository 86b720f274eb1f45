"""What each heading may spend, has spent, and keeps back: the headings as a tree of pots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from mvote.budget.allocating.errors import AllocationImpossible
from mvote.budget.allocating.model import BUDGET_LIMIT, Contest, Heading, Project
from mvote.wording import say


@dataclass(slots=True, eq=False)
class Pot:
    """A heading's money. `held` is of headings below that are decided elsewhere.

    `lifted`: in the second pass its own limit no longer counts, for its parent shares out.
    """

    key: str
    limit: int | None
    max_projects: int | None = None
    gives_leftover: bool = False
    parent: Pot | None = None
    children: list[Pot] = field(default_factory=list)
    held: int = 0
    spent: int = 0
    count: int = 0
    closed: bool = False
    lifted: bool = False

    @property
    def binds(self) -> bool:
        return self.limit is not None or self.max_projects is not None

    @property
    def is_full(self) -> bool:
        """No further project, whatever it costs."""
        return self.max_projects is not None and self.count >= self.max_projects

    @property
    def is_overdrawn(self) -> bool:
        """More is spent than there is, or more projects are funded than may be."""
        left = self.left()
        too_many = self.max_projects is not None and self.count > self.max_projects
        return too_many or (left is not None and left < 0)

    def left(self, line: Sequence[Pot] = ()) -> int | None:
        """The money left for a project below *line*; None: no limit, or none that counts.

        In the second pass what stays with a child outside the line is kept back for that child.
        """
        if self.limit is None or self.lifted:
            return None
        kept = (each.rest for each in self.children if each.lifted and each not in line)
        return self.limit - self.held - self.spent - sum(kept)

    @property
    def rest(self) -> int:
        """What stays with a heading that hands nothing on."""
        if self.gives_leftover or self.limit is None:
            return 0
        return max(0, self.limit - self.held - self.spent)


class Pots:
    """All pots of a contest, the limit of everything on top."""

    def __init__(
        self, limit: int | None, headings: Sequence[Heading], max_projects: int | None = None
    ) -> None:
        self.top = Pot(BUDGET_LIMIT, limit, max_projects)
        self._by_key: dict[str, Pot] = {BUDGET_LIMIT: self.top}
        elsewhere = {each.key for each in headings if each.elsewhere}
        for each in headings:
            gives = each.leftover == "to_parent" and not each.elsewhere
            self._by_key[each.key] = Pot(each.key, each.limit, each.max_projects, gives)
        for each in headings:
            self._hang(self._by_key[each.key], each.parent)
        for each in headings:
            if each.elsewhere and not elsewhere & {pot.key for pot in self._above(each.key)[1:]}:
                self._hold(each)

    def __iter__(self) -> Iterator[Pot]:
        return iter(self._by_key.values())

    def _hang(self, pot: Pot, parent: str | None) -> None:
        above = self._by_key.get(parent or BUDGET_LIMIT)
        if above is None:
            raise AllocationImpossible(
                say(
                    "heading {key} stands under {parent}, which is unknown",
                    key=pot.key,
                    parent=parent,
                )
            )
        pot.parent = above
        above.children.append(pot)

    def _above(self, key: str) -> list[Pot]:
        line: list[Pot] = []
        pot: Pot | None = self._by_key.get(key)
        while pot is not None:
            if pot in line:
                raise AllocationImpossible(say("heading {key} stands under itself", key=key))
            line.append(pot)
            pot = pot.parent
        return line

    def _hold(self, heading: Heading) -> None:
        for pot in self._above(heading.key)[1:]:
            pot.held += heading.limit or 0
            pot.children = [each for each in pot.children if each.key != heading.key]

    def line_of(self, project: Project) -> list[Pot]:
        """The pots above *project*, its own heading's first."""
        line = self._above(project.heading or BUDGET_LIMIT)
        if not line:
            raise AllocationImpossible(
                say(
                    "project {reference} has the heading {heading}, which is unknown",
                    reference=project.reference,
                    heading=project.heading,
                )
            )
        return line

    def lift(self) -> bool:
        """Begin the second pass: under every parent that was left money. False: there is none."""
        parents = [p for p in self._by_key.values() if any(c.gives_leftover for c in p.children)]
        for parent in parents:
            for child in parent.children:
                child.lifted, child.closed = True, False
        return bool(parents)


def in_one_pot(contest: Contest) -> Contest:
    """*contest* without headings, where the same limits stand above every project; else as it is.

    Equal shares knows one pot only.
    """
    pots = Pots(contest.limit, contest.headings, contest.max_projects)
    lines = {tuple(pot.key for pot in _binding(pots, each)) for each in contest.projects}
    if not contest.headings or len(lines) != 1:
        return contest
    above = _binding(pots, contest.projects[0])
    if any(pot.max_projects is not None for pot in above):
        return contest
    limit = min((left for pot in above if (left := pot.left()) is not None), default=None)
    projects = tuple(replace(each, heading=None) for each in contest.projects)
    return replace(contest, projects=projects, limit=limit, headings=())


def _binding(pots: Pots, project: Project) -> list[Pot]:
    return [pot for pot in pots.line_of(project) if pot.binds]
