"""The rules of deliberating that can be broken, each with its reason."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError, Text


class QuorumNotReached(DomainError):
    """Too few took part, and nothing is decided.

    Facts: `entitled` (E), `present` (P), `needed`, and `not_voted`: the seats that still may vote.
    """

    code = "quorum-not-reached"
    title: ClassVar[Text] = {
        "ko": "의결 정족수에 미치지 못했습니다.",
        "en": "The quorum is not reached.",
    }
    next_step: ClassVar[Text] = {
        "ko": "아직 표결하지 않은 위원의 참여를 기다려 주세요.",
        "en": "Wait for members who have not voted yet.",
    }


class OpinionsMissing(DomainError):
    """Facts `needed` and `given`."""

    code = "opinions-missing"
    title: ClassVar[Text] = {
        "ko": "심사 의견이 아직 부족합니다.",
        "en": "Too few opinions are in.",
    }


class WindowNotOpen(DomainError):
    """The item is voted on online, and not now. Facts `starts_at` and `ends_at`."""

    code = "voting-window-not-open"
    title: ClassVar[Text] = {
        "ko": "지금은 이 안건의 온라인 표결 시간이 아닙니다.",
        "en": "This item is voted on online at another time.",
    }


class WindowNotOver(DomainError):
    """Members may still vote online; fact `ends_at`."""

    code = "voting-window-not-over"
    title: ClassVar[Text] = {
        "ko": "온라인 표결이 아직 끝나지 않았습니다.",
        "en": "The online vote is not over.",
    }


class OnShortlist(DomainError):
    """It is voted on with a list; fact `shortlist_id`."""

    code = "on-shortlist"
    title: ClassVar[Text] = {
        "ko": "이 제안은 목록과 함께 표결합니다. 따로 표결하려면 목록에서 빼내 주세요.",
        "en": "It is voted on with a list. A member may pull it out to have it judged alone.",
    }


class VotingBegan(DomainError):
    """Votes are in: what they are about no longer changes."""

    code = "voting-began"
    title: ClassVar[Text] = {
        "ko": "이미 표결이 시작되어 안건을 바꿀 수 없습니다.",
        "en": "Voting has begun: the motion no longer changes.",
    }
