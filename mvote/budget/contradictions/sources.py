"""Contradictions in the sources of a contest."""

from __future__ import annotations

from collections.abc import Iterator

from mvote.base import instant
from mvote.budget.contradictions.contradiction import Contradiction
from mvote.budget.contradictions.money import repeated_keys
from mvote.budget.definition import Contest, Definition, Source, SourceEligibility

OF_POLLS = ("eligibility", "roll", "opens_at", "closes_at", "records")


def in_sources(contest: Contest, definition: Definition, at: str) -> Iterator[Contradiction]:
    """What contradicts itself in the sources of the contest at the pointer *at*."""
    sources = contest.sources
    yield from repeated_keys(f"{at}/sources", (each.key for each in sources))
    if not any(each.kind == "poll" for each in sources):
        yield Contradiction("contest-without-a-poll", f"{at}/sources")
    if not any(each.weight for each in sources):
        yield Contradiction("nothing-weighs", f"{at}/sources")
    for n, source in enumerate(sources):
        pointer = f"{at}/sources/{n}"
        yield from _in_kind(source, pointer)
        yield from _in_time(source, definition, pointer)
        yield from _in_records(source, contest, pointer)
        if source.eligibility is not None:
            yield from _in_ages(source.eligibility, f"{pointer}/eligibility")


def _in_kind(source: Source, pointer: str) -> Iterator[Contradiction]:
    if source.kind == "poll":
        if source.unit is not None:
            facts: dict[str, object] = {"member": "unit"}
            yield Contradiction("poll-is-no-statement", f"{pointer}/unit", facts)
        return
    for member in OF_POLLS:
        if getattr(source, member) is not None:
            yield Contradiction("statement-is-no-poll", f"{pointer}/{member}", {"member": member})


def _in_time(source: Source, definition: Definition, pointer: str) -> Iterator[Contradiction]:
    balloting = next((each for each in definition.phases if each.kind == "balloting"), None)
    if source.kind != "poll" or balloting is None:
        return
    opens_at = source.opens_at or balloting.opens_at
    closes_at = source.closes_at or balloting.closes_at
    if opens_at >= closes_at:
        yield Contradiction("source-ends-before-it-begins", f"{pointer}/closes_at")
    facts: dict[str, object] = {
        "opens_at": instant(balloting.opens_at),
        "closes_at": instant(balloting.closes_at),
    }
    for name, at in (("opens_at", opens_at), ("closes_at", closes_at)):
        if not balloting.opens_at <= at <= balloting.closes_at:
            yield Contradiction("source-outside-balloting", f"{pointer}/{name}", facts)


def _in_records(source: Source, contest: Contest, pointer: str) -> Iterator[Contradiction]:
    if source.kind != "poll" or source.records != "full":
        return
    if source.roll is not None:
        yield Contradiction("full-records-of-a-roll", f"{pointer}/records")
    elif contest.allocation.rule != "equal_shares":
        yield Contradiction("full-records-without-need", f"{pointer}/records")


def _in_ages(eligibility: SourceEligibility, pointer: str) -> Iterator[Contradiction]:
    youngest, oldest = eligibility.min_age, eligibility.max_age
    if youngest is not None and oldest is not None and youngest > oldest:
        yield Contradiction("ages-exclude-everyone", f"{pointer}/min_age")
