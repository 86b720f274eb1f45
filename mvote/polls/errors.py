"""The rules of polls and ballots that can be broken, each with its reason and next step."""

from __future__ import annotations

from typing import Any, ClassVar

from mvote.errors import DomainError, Text


class NotEligible(DomainError):
    """The voter is not among those who are asked; fact `rule` says by which rule."""

    code = "not-eligible"
    title: ClassVar[Text] = {
        "ko": "이 투표의 대상이 아닙니다.",
        "en": "This poll asks other people.",
    }
    next_step: ClassVar[Text] = {
        "ko": "내 정보에서 해당 항목을 확인하거나 인증해 주세요.",
        "en": "See in your profile whether that fact is missing, wrong or not yet verified.",
    }

    def __init__(self, rule: str) -> None:
        super().__init__(rule=rule)
        self.rule = rule


class PresenceRequired(DomainError):
    code = "presence-required"
    title: ClassVar[Text] = {
        "ko": "현장에서만 참여할 수 있습니다.",
        "en": "This poll is for people on the spot.",
    }
    next_step: ClassVar[Text] = {
        "ko": "현장에서 위치를 보내거나 QR 코드를 스캔해 주세요.",
        "en": "Be there, and send your position or scan the site's code.",
    }


class OutsideArea(DomainError):
    code = "outside-area"
    title: ClassVar[Text] = {
        "ko": "투표 구역 밖에 있습니다.",
        "en": "You are outside the poll's area.",
    }
    next_step: ClassVar[Text] = {
        "ko": "투표 구역 안으로 이동한 뒤 다시 시도해 주세요.",
        "en": "Go into the area and try again.",
    }


class PositionTooCoarse(DomainError):
    code = "position-too-coarse"
    title: ClassVar[Text] = {
        "ko": "위치 정확도가 너무 낮습니다.",
        "en": "The position is not precise enough.",
    }
    next_step: ClassVar[Text] = {
        "ko": "하늘이 트인 곳에서 정확한 위치를 켜거나 현장 코드를 스캔해 주세요.",
        "en": "Step under the open sky, allow precise location, or scan the site's code.",
    }


class PositionAmbiguous(DomainError):
    code = "position-ambiguous"
    title: ClassVar[Text] = {
        "ko": "구역 안인지 확실하지 않습니다.",
        "en": "It is not certain that you are inside the area.",
    }
    next_step: ClassVar[Text] = {
        "ko": "구역 안쪽으로 더 들어가거나 현장 안내원에게 문의해 주세요.",
        "en": "Go further in, get a better fix, or ask the steward.",
    }


class PositionStale(DomainError):
    code = "position-stale"
    title: ClassVar[Text] = {
        "ko": "위치 정보가 오래되었습니다.",
        "en": "The position is too old, or from the future.",
    }
    next_step: ClassVar[Text] = {
        "ko": "위치를 새로 확인해 주세요.",
        "en": "Take a new fix; check the phone's clock.",
    }


class PresenceTokenInvalid(DomainError):
    code = "presence-token-invalid"
    title: ClassVar[Text] = {
        "ko": "현장 확인 토큰이 올바르지 않거나 만료되었습니다.",
        "en": "The presence token is not valid here or no longer valid.",
    }
    next_step: ClassVar[Text] = {
        "ko": "현장 코드를 다시 스캔해 주세요.",
        "en": "Scan the site's code again.",
    }


class AlreadyVoted(DomainError):
    code = "already-voted"
    title: ClassVar[Text] = {"ko": "이미 투표하셨습니다.", "en": "You have voted in this poll."}


class PollNotOpen(DomainError):
    code = "poll-not-open"
    title: ClassVar[Text] = {
        "ko": "지금은 투표할 수 없습니다.",
        "en": "The poll is not open for voting.",
    }


class IdempotencyKeyReused(DomainError):
    code = "idempotency-key-reused"
    title: ClassVar[Text] = {
        "ko": "같은 키로 다른 투표지를 보냈습니다.",
        "en": "This key was used with another ballot.",
    }


class InvalidSelection(DomainError):
    """The selections break a limit of the question; fact `limit` names it.

    Of a project ballot `broken` names all of them, and `may_spoil` is true where it may be cast
    all the same.
    """

    code = "invalid-selection"
    title: ClassVar[Text] = {
        "ko": "선택이 규칙에 맞지 않습니다.",
        "en": "The selections break a rule of the question.",
    }

    def __init__(self, limit: str, **facts: Any) -> None:
        super().__init__(None, limit=limit, **facts)


class ResultsNotAvailable(DomainError):
    """Fact `available_at`: when, as far as that is known."""

    code = "results-not-available"
    title: ClassVar[Text] = {
        "ko": "아직 결과를 공개할 수 없습니다.",
        "en": "There is no result to be seen yet.",
    }


class BundleNotReady(DomainError):
    """The result is published, its bundle not signed yet: that is a matter of seconds."""

    code = "bundle-not-ready"
    title: ClassVar[Text] = {
        "ko": "검증용 파일을 만드는 중입니다.",
        "en": "The file for the verifier is being made.",
    }
    next_step: ClassVar[Text] = {
        "ko": "잠시 뒤에 다시 받아 주세요.",
        "en": "Download it again in a moment.",
    }

    def __init__(self) -> None:
        super().__init__(retry_after_s=1)


class NotReadyToOpen(DomainError):
    """Everything that still hinders the opening, at once, in fact `hindrances`."""

    code = "not-ready-to-open"
    title: ClassVar[Text] = {
        "ko": "아직 투표를 열 수 없습니다.",
        "en": "The poll cannot be opened yet.",
    }


class QuotaReached(DomainError):
    """A citizen's polls of this week are used up; fact `per_week`."""

    code = "too-many-requests"
    title: ClassVar[Text] = {
        "ko": "이번 주에 만들 수 있는 투표 수를 넘었습니다.",
        "en": "You have made as many polls this week as a citizen may.",
    }
