"""The table that `make torture` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A figure, what it must be, and whether it is."""

    what: str
    figure: str
    wanted: str = ""
    holds: bool = True


def table(lines: Sequence[Line]) -> str:
    """As Markdown."""
    head = ["| | figure | must be | |", "|---|---:|---:|---|"]
    return "\n".join(head + [_row(line) for line in lines])


def _row(line: Line) -> str:
    verdict = "" if not line.wanted else "holds" if line.holds else "FAILS"
    return f"| {line.what} | {line.figure} | {line.wanted} | {verdict} |"
