"""Small .pb files, right and broken."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from mvote.budget.pabulib.reading import PbElection, read

Votes = Sequence[tuple[str, str]]


def pb_text(
    costs: Mapping[str, Any],
    votes: Sequence[str],
    budget: Any,
    rule: str = "greedy",
    *,
    points: Sequence[str] | None = None,
    selected: Mapping[str, int] | None = None,
    counted: Mapping[str, int] | None = None,
    **meta: Any,
) -> str:
    """A file of *costs* and *votes* (each a list of projects, parted by commas).

    *meta* adds to META or replaces what stands there; None leaves a key out.
    """
    head = {
        "description": "a made-up election", "country": "Poland", "unit": "Nowhere",
        "instance": "2024", "num_projects": len(costs), "num_votes": len(votes),
        "budget": budget, "vote_type": "approval", "rule": rule,
        "date_begin": "01.02.2024", "date_end": "03.02.2024",
    } | meta  # fmt: skip
    lines = ["META", "key;value", *(f"{k};{v}" for k, v in head.items() if v is not None)]
    names = None if selected is None else {each: f"project {each}" for each in costs}
    columns: dict[str, Any] = {"votes": counted, "name": names, "selected": selected}
    there = {name: values for name, values in columns.items() if values is not None}
    lines += ["PROJECTS", ";".join(["project_id", "cost", *there])]
    for each, cost in costs.items():
        lines.append(";".join([each, str(cost), *(str(v.get(each, 0)) for v in there.values())]))
    lines += ["VOTES", "voter_id;vote" + (";points" if points is not None else "")]
    for number, vote in enumerate(votes):
        lines.append(f"v{number};{vote}" + (f";{points[number]}" if points is not None else ""))
    return "\n".join(lines) + "\n"


def read_text(text: str | bytes) -> PbElection:
    """What `read` makes of *text*."""
    return read(io.BytesIO(text.encode() if isinstance(text, str) else text))
