"""The rules of deciding that can be broken."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError, Text


class SealingOver(DomainError):
    """The first poll of the contest has opened: a statement made now could follow its result."""

    code = "sealing-over"
    title: ClassVar[Text] = {
        "ko": "첫 투표가 시작되어 조사 결과를 봉인할 수 없습니다.",
        "en": "The first poll has opened: no statement can be sealed any more.",
    }


class AlreadyAllocated(DomainError):
    """The contest is allocated, and nothing that it rests on has changed since."""

    code = "already-allocated"
    title: ClassVar[Text] = {
        "ko": "이미 예산을 배분했습니다.",
        "en": "The contest is allocated already.",
    }


class AllocationOutdated(DomainError):
    """Projects were struck since; fact `references` names them."""

    code = "allocation-outdated"
    title: ClassVar[Text] = {
        "ko": "배분한 뒤에 제외된 사업이 있습니다.",
        "en": "Projects were struck after the allocation.",
    }
    next_step: ClassVar[Text] = {
        "ko": "예산을 다시 배분해 주세요.",
        "en": "Allocate again.",
    }


class NoDecidingBody(DomainError):
    """No committee of the cycle is the body that its definition names; fact `body`."""

    code = "no-deciding-body"
    title: ClassVar[Text] = {
        "ko": "배분을 확정할 위원회가 아직 없습니다.",
        "en": "There is no committee that could confirm the allocation.",
    }
    next_step: ClassVar[Text] = {
        "ko": "예산 과정에 정해진 종류의 위원회를 구성해 주세요.",
        "en": "Form the committee that the cycle's decision names.",
    }


class MotionPending(DomainError):
    """A motion on this contest is being voted on, or was carried."""

    code = "motion-pending"
    title: ClassVar[Text] = {
        "ko": "이 배분에 대한 안건이 표결 중이거나 이미 의결되었습니다.",
        "en": "A motion on it is being voted on, or was carried already.",
    }


class OnlyTotalsKept(DomainError):
    """Single ballots of the contest are not public, so there is no file that holds them."""

    code = "only-totals-kept"
    title: ClassVar[Text] = {
        "ko": "이 투표는 합계만 공개하므로 표 하나하나를 내보낼 수 없습니다.",
        "en": "Only totals of this contest are public: there are no single ballots to export.",
    }
    next_step: ClassVar[Text] = {
        "ko": "배분 결과의 `inputs`에 원천별 합계가 있습니다.",
        "en": "`inputs` of the allocation hold the totals of each source.",
    }
