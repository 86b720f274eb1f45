"""The rules of reviewing that can be broken, each with its reason."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError, Text, stands_for


class Recused(DomainError):
    """The member has no part in this proposal; fact `ground`, where it is known."""

    code = "recused"
    title: ClassVar[Text] = {
        "ko": "이해관계가 있어 이 제안의 심사에서 제외되었습니다.",
        "en": "You are recused from this proposal.",
    }


class OpinionFrozen(DomainError):
    """The first opinion is in, and its writer may read the others': it no longer changes."""

    code = "opinion-frozen"
    title: ClassVar[Text] = {
        "ko": "첫 의견은 한 번 내면 바꿀 수 없습니다.",
        "en": "A first opinion does not change once it is in.",
    }
    next_step: ClassVar[Text] = {
        "ko": "토론이 끝나면 두 번째 의견을 낼 수 있습니다.",
        "en": "After the discussion there is a second round.",
    }


class NotUnderReview(DomainError):
    """The member's committee does not review this proposal now, or has judged it."""

    code = "not-under-review"
    title: ClassVar[Text] = {
        "ko": "지금 심사 중인 제안이 아닙니다.",
        "en": "The committee is not reviewing this proposal.",
    }


stands_for("not_recused", Recused)
stands_for("opinion_frozen", OpinionFrozen)
stands_for("review_open", NotUnderReview)
