"""Scores: one for each of the cycle's criteria, within its scale, each with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mvote.budget.cycle import Cycle
from mvote.errors import Fault, InvalidRequest, Text

Scores = Sequence[Mapping[str, Any]]
"""`[{"criterion", "score", "reason"}]`."""
UNKNOWN = "There is no such criterion in this cycle."
UNKNOWN_IN_KOREAN = "이 사업에 없는 심사 기준입니다."
TWICE = "This criterion is scored twice."
TWICE_IN_KOREAN = "같은 심사 기준에 점수를 두 번 주었습니다."
SAYS_NOTHING = "Say something: this cycle has no criteria to score."
SAYS_NOTHING_IN_KOREAN = "심사 기준이 없는 사업이므로 의견을 적어 주세요."


def in_order(cycle: Cycle, scores: Scores, *, comment: Text | None) -> list[dict[str, Any]]:
    """The scores in the order of the cycle's criteria. Raises InvalidRequest with every fault.

    Where a cycle has none, the comment is the opinion.
    """
    rules = cycle.definition.get("review") or {}
    criteria = {each["key"]: each for each in rules.get("criteria") or ()}
    faults = list(_faults(criteria, scores))
    if not criteria and comment is None:
        faults.append(Fault("/comment", SAYS_NOTHING, korean=SAYS_NOTHING_IN_KOREAN))
    if faults:
        raise InvalidRequest(*faults)
    given = {each["criterion"]: dict(each) for each in scores}
    return [given[key] for key in criteria]


def _faults(criteria: Mapping[str, Any], scores: Scores) -> Iterator[Fault]:
    seen: set[str] = set()
    for n, each in enumerate(scores):
        key = each["criterion"]
        if key not in criteria:
            yield Fault(f"/scores/{n}/criterion", UNKNOWN, korean=UNKNOWN_IN_KOREAN)
        elif key in seen:
            yield Fault(f"/scores/{n}/criterion", TWICE, korean=TWICE_IN_KOREAN)
        elif each["score"] > (scale := criteria[key].get("scale", 5)):
            yield Fault(
                f"/scores/{n}/score",
                f"It must be from 0 to {scale}.",
                korean=f"0부터 {scale}까지 줄 수 있습니다.",
            )
        seen.add(key)
    for key in criteria.keys() - seen:
        yield Fault("/scores", f"{key} is not scored.", korean=f"{key} 기준의 점수가 없습니다.")
