"""The rules of the participatory budget that can be broken."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError, Text


class PhaseNotOpen(DomainError):
    """It is not the time for this in the cycle.

    Facts: `phase`, the one that is open or null; `wanted`, those in which it may be done;
    `opens_at`, when the next of them opens, if one does.
    """

    code = "phase-not-open"
    title: ClassVar[Text] = {
        "ko": "지금은 이 일을 하는 기간이 아닙니다.",
        "en": "This is not the time for it in the cycle.",
    }
    next_step: ClassVar[Text] = {
        "ko": "예산 편성 일정을 확인해 주세요.",
        "en": "See the dates of the cycle's phases.",
    }
