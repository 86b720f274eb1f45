"""The rules of reviewing that can be broken, each with its reason."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError, stands_for
from mvote.wording import Message, say


class Recused(DomainError):
    """The member has no part in this proposal; fact `ground`, where it is known."""

    code = "recused"
    title: ClassVar[Message] = say("You are recused from this proposal.")


class OpinionFrozen(DomainError):
    """The first opinion is in, and its writer may read the others': it no longer changes."""

    code = "opinion-frozen"
    title: ClassVar[Message] = say("A first opinion does not change once it is in.")
    next_step: ClassVar[Message] = say("After the discussion there is a second round.")


class NotUnderReview(DomainError):
    """The member's committee does not review this proposal now, or has judged it."""

    code = "not-under-review"
    title: ClassVar[Message] = say("The committee is not reviewing this proposal.")


stands_for("not_recused", Recused)
stands_for("opinion_frozen", OpinionFrozen)
stands_for("review_open", NotUnderReview)
