"""A result as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api.spreadsheets import sheet_of
from mvote.polls.live import LiveResult
from mvote.polls.results import PublishedResult

Row = list[Any]


def as_csv(found: PublishedResult | LiveResult) -> bytes:
    """One line an option, then in brackets: winners, rounds and pairs, turnout, the accounting if
    it does not hold, or up to where is counted so far.
    """
    rows: list[Row] = [["key", "title_ko", "title_en", "votes", "share"]]
    for option in found.options():
        names = [option["title"].get(language, "") for language in ("ko", "en")]
        rows.append([option["key"], *names, option["votes"], option["share"]])
    facts = found.facts()
    rows += [_remark("winner", key) for key in facts["winners"] or ()]
    rows += [_remark("winner by lot", facts["draw"]["winner"])] if facts["draw"] else []
    rows += _workings(facts["workings"] or {})
    figures = found.turnout() | found.remarks()
    rows += [_remark(name, number) for name, number in figures.items()]
    return sheet_of(rows)


def _remark(name: str, content: Any) -> Row:
    return [f"({name})", "", "", content, ""]


def _workings(workings: dict[str, Any]) -> Iterator[Row]:
    for n, each in enumerate(workings.get("rounds", ()), 1):
        yield from (_remark(f"round {n}: {key}", votes) for key, votes in each["votes"].items())
        yield _remark(f"round {n}: exhausted", each["exhausted"])
    for key, row in workings.get("pairwise", {}).items():
        yield from (_remark(f"{key} before {other}", ballots) for other, ballots in row.items())
