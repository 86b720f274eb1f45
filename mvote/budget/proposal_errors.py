"""The rules of proposals that can be broken, each with its reason."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError, Text


class NotAProposer(DomainError):
    """The citizen is not among those who may propose; fact `rule`: `basis` or `excluded`."""

    code = "not-eligible"
    title: ClassVar[Text] = {
        "ko": "이번 주민참여예산에 제안할 수 있는 대상이 아닙니다.",
        "en": "This cycle takes proposals of other people.",
    }
    next_step: ClassVar[Text] = {
        "ko": "내 정보에 주소, 직장, 사업장 또는 학교가 등록되어 있는지 확인해 주세요.",
        "en": "See in your profile whether your home, work, business or study is entered.",
    }

    def __init__(self, rule: str) -> None:
        super().__init__(rule=rule)


class NotReadyToSubmit(DomainError):
    """Fact `missing`: JSON pointers to all that must still be said."""

    code = "not-ready-to-submit"
    title: ClassVar[Text] = {
        "ko": "아직 제출할 수 없습니다. 빠진 항목이 있습니다.",
        "en": "It cannot be submitted yet: something is missing.",
    }


class NothingRevised(DomainError):
    """It was returned, and nothing was changed since."""

    code = "nothing-revised"
    title: ClassVar[Text] = {
        "ko": "보완 요청 이후 바뀐 내용이 없습니다.",
        "en": "Nothing was changed since it was returned.",
    }


class AppealOver(DomainError):
    """The one appeal was made, its time is over, or nobody judges any; fact `why`."""

    code = "appeal-over"
    title: ClassVar[Text] = {
        "ko": "더 이상 이의를 제기할 수 없습니다.",
        "en": "There is no appeal any more.",
    }


class CannotCarryOver(DomainError):
    """It has not ended, or it is of the same cycle, or of other authors."""

    code = "cannot-carry-over"
    title: ClassVar[Text] = {
        "ko": "이 제안은 다음 주기로 가져올 수 없습니다.",
        "en": "This proposal cannot be carried over.",
    }
