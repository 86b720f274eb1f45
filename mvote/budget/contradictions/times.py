"""Contradictions between phases, and between phases and what they are for."""

from __future__ import annotations

from collections.abc import Iterator

from mvote.budget.contradictions.contradiction import Contradiction
from mvote.budget.cycle import PHASE_KINDS
from mvote.budget.definition import Definition, Phase


def in_times(definition: Definition) -> Iterator[Contradiction]:
    """What contradicts itself in the phases."""
    phases = definition.phases
    for n, phase in enumerate(phases):
        pointer = f"/phases/{n}"
        if phase.kind in {each.kind for each in phases[:n]}:
            yield Contradiction("phase-repeated", f"{pointer}/kind")
        if phase.opens_at >= phase.closes_at:
            yield Contradiction("phase-ends-before-it-begins", f"{pointer}/closes_at")
        else:
            yield from _against_others(phase, phases, pointer)
    yield from _for_use(definition)


def _against_others(
    phase: Phase, phases: tuple[Phase, ...], pointer: str
) -> Iterator[Contradiction]:
    """Each pair is named once, at the phase that should come later."""
    place = PHASE_KINDS.index(phase.kind)
    for other in phases:
        if PHASE_KINDS.index(other.kind) >= place or other.opens_at >= other.closes_at:
            continue
        if phase.closes_at <= other.opens_at:
            yield Contradiction("phases-out-of-order", f"{pointer}/opens_at", {"other": other.kind})
        elif phase.opens_at < other.closes_at:
            yield Contradiction("phases-overlap", f"{pointer}/opens_at", {"other": other.kind})


def _for_use(definition: Definition) -> Iterator[Contradiction]:
    has_polls = any(each.kind == "poll" for c in definition.contests for each in c.sources)
    kinds = [phase.kind for phase in definition.phases]
    if definition.review is not None and "reviewing" not in kinds:
        yield Contradiction("no-phase-for-it", "/review", {"phase": "reviewing"})
    if has_polls and "balloting" not in kinds:
        yield Contradiction("no-phase-for-it", "/contests", {"phase": "balloting"})
    if "balloting" in kinds and not has_polls:
        yield Contradiction("phase-without-use", f"/phases/{kinds.index('balloting')}")
