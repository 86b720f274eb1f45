"""The rules of a draw that can be broken."""

from __future__ import annotations

from typing import Any, ClassVar

from mvote.errors import DomainError, Text


class QuotasImpossible(DomainError):
    """No choice of people meets all quotas; fact `conflicts` names what contradicts each other.

    Each conflict is minimal: without any one of its demands the rest of it could be met. Fact
    `all_named` says whether these are all conflicts there are.
    """

    code = "quotas-impossible"
    title: ClassVar[Text] = {
        "ko": "신청자 명단으로는 정해진 비율을 채울 수 없습니다.",
        "en": "The pool cannot meet the quotas.",
    }
    next_step: ClassVar[Text] = {
        "ko": "신청을 더 받거나, 시드가 알려지기 전에 담당자 두 명이 비율을 공개적으로 낮추세요.",
        "en": "Let more people apply; or two officers lower a quota publicly before the seed.",
    }

    def __init__(
        self, conflicts: list[list[dict[str, Any]]], *, detail: str, all_named: bool
    ) -> None:
        super().__init__(detail, conflicts=conflicts, all_named=all_named)
        self.conflicts = conflicts


class SecretNotCommitted(DomainError):
    """The secret is not the one whose hash was published before."""

    code = "secret-not-committed"
    title: ClassVar[Text] = {
        "ko": "미리 공개한 약속값과 맞지 않는 비밀값입니다.",
        "en": "This is not the secret that was committed to.",
    }
