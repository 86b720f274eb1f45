"""The rules of allocation that can be broken."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError, Text


class SourceMissing(DomainError):
    """A source that the blend needs did not come about; fact `sources` names them."""

    code = "source-missing"
    title: ClassVar[Text] = {
        "ko": "합산에 필요한 집계 결과가 아직 없거나 투표 수가 모자랍니다.",
        "en": "A source that the result is blended from is missing or too small.",
    }

    def __init__(self, sources: tuple[str, ...]) -> None:
        super().__init__(f"missing: {', '.join(sources)}", sources=list(sources))
        self.sources = sources


class AllocationImpossible(DomainError):
    """The contest contradicts itself: the detail says how."""

    code = "allocation-impossible"
    title: ClassVar[Text] = {
        "ko": "이 규칙으로는 예산을 배분할 수 없습니다.",
        "en": "The money cannot be allocated by this rule.",
    }


class TooMuchWork(DomainError):
    """More steps than one request may take; fact `steps` says how many those are."""

    code = "too-much-work"
    title: ClassVar[Text] = {
        "ko": "계산량이 많아 요청 안에서 배분을 마칠 수 없습니다.",
        "en": "The allocation needs more work than one request may take.",
    }
    next_step: ClassVar[Text] = {
        "ko": "운영자에게 `flask cycles allocate` 또는 `flask cycles import` 실행을 요청해 주세요.",
        "en": "Ask an operator to run `flask cycles allocate`, or `flask cycles import`.",
    }

    def __init__(self, steps: int) -> None:
        super().__init__(f"more than {steps:,} steps", steps=steps)
