"""What the money is for: headings in a tree, kinds of projects, caps on what one may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from mvote.budget.definition.scalars import Count, Key, Money, Title


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A part of the budget. A limit binds all that lies beneath it, too."""

    key: Key
    title: Title | None = None
    parent: Key | None = None
    limit: Annotated[Money | None, "No limit of its own: only those above it bind."] = None
    leftover: Annotated[
        Literal["stays", "to_parent"], "Whether what is left serves others under the parent."
    ] = "stays"
    decided: Annotated[
        Literal["here", "elsewhere"], "`elsewhere`: others decide on it; no contest has it."
    ] = "here"
    max_projects: Annotated[Count | None, "So many are funded at most."] = None


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of projects: works, events …"""

    key: Key
    title: Title | None = None


@dataclass(frozen=True, kw_only=True)
class CostCap:
    """What one project may cost at most, under a heading (and beneath it), of a kind, or any."""

    heading: Key | None = None
    kind: Key | None = None
    max: Money
