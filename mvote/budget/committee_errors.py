"""The rules of committees that can be broken, each with its reason."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError, Text


class NotAnApplicant(DomainError):
    """The citizen is not among those who may sit; fact `rule`: `basis` or `excluded`."""

    code = "not-eligible"
    title: ClassVar[Text] = {
        "ko": "이 위원회의 위원이 될 수 있는 대상이 아닙니다.",
        "en": "Other people may sit in this committee.",
    }
    next_step: ClassVar[Text] = {
        "ko": "내 정보에 주소, 직장, 사업장 또는 학교가 등록되어 있는지 확인해 주세요.",
        "en": "See in your profile whether your home, work, business or study is entered.",
    }

    def __init__(self, rule: str) -> None:
        super().__init__(rule=rule)


class ApplicationsClosed(DomainError):
    """Fact `closed_at`; null where nobody is drawn at all."""

    code = "applications-closed"
    title: ClassVar[Text] = {
        "ko": "위원 신청 기간이 아닙니다.",
        "en": "No applications are taken.",
    }


class DrawNotDue(DomainError):
    """Fact `due_at`: when the public value is known; null where nothing is drawn by lot."""

    code = "draw-not-due"
    title: ClassVar[Text] = {
        "ko": "공개값이 정해지기 전에는 추첨할 수 없습니다.",
        "en": "The draw waits for the public value.",
    }


class AlreadyDrawn(DomainError):
    code = "already-drawn"
    title: ClassVar[Text] = {
        "ko": "이미 추첨이 끝났습니다.",
        "en": "The draw was held.",
    }


class TargetsFixed(DomainError):
    """The public value is known: from here on a change of quotas would choose people."""

    code = "targets-fixed"
    title: ClassVar[Text] = {
        "ko": "공개값이 정해진 뒤에는 비율을 바꿀 수 없습니다.",
        "en": "Quotas no longer change: the public value is known.",
    }


class AlreadySeated(DomainError):
    code = "already-seated"
    title: ClassVar[Text] = {
        "ko": "이미 이 위원회의 위원이거나 위원장이 있습니다.",
        "en": "This person sits there already, or the chair is taken.",
    }


class NothingToDivide(DomainError):
    """There are no subcommittees, or every member sits in one."""

    code = "nothing-to-divide"
    title: ClassVar[Text] = {
        "ko": "분과위원회가 없거나 모든 위원이 이미 배정되었습니다.",
        "en": "There are no subcommittees, or every member sits in one.",
    }
