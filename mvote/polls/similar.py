"""Polls that ask nearly the same: shown before one's own is posted, so that people vote together.

Titles are compared in each language that both have (`mvote.polls.marks`), and the nearer counts.
Where both have a question, it counts for a fifth: "Do you agree?" stands beneath polls of all
sorts.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, ColumnElement, desc, literal_column, not_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from mvote.base import database_time
from mvote.budget.likeness import likeness_to
from mvote.moderation.case import left_out
from mvote.polls.hindrances import Hindrance
from mvote.polls.listing import for_a_list
from mvote.polls.marks import Marks, likeness, marks_of
from mvote.polls.poll import Poll

MOST = 20
MOST_COMPARED = 100
WORTH_OF_QUESTION = 0.2
CLOSE = 0.6
"""From here on an author is warned without having asked."""
# In so many words: the index is only for these, and the planner must see that.
_PUBLIC = literal_column("poll.state = 'open' AND NOT poll.is_private", Boolean)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody is about to ask."""

    title: Mapping[str, str]
    question: Mapping[str, str] | None = None
    #: a poll is not similar to itself
    but: uuid.UUID | None = None

    @classmethod
    def by(cls, poll: Poll) -> Asked:
        """What a draft asks."""
        question = (poll.content.get("question") or {}).get("text")
        return cls(title=poll.content["title"], question=question, but=poll.id)


@dataclass(frozen=True, kw_only=True)
class Similar:
    poll: Poll
    #: 0 to 1, where 1 is the same words
    score: float


@dataclass(frozen=True)
class SimilarOpen:
    """The warning that others ask nearly the same."""

    found: Sequence[Similar]

    def shown(self) -> dict[str, Any]:
        """As it stands in the answer."""
        named = [
            {"id": each.poll.id, "title": each.poll.content["title"], "score": each.score}
            for each in self.found
        ]
        return Hindrance("similar-polls", "/title").shown() | {"polls": named}


def similar_to(session: Session, *, asked: Asked, limit: int = MOST) -> list[Similar]:
    """Public polls that are open or announced and read alike, the nearest first; none held back."""
    is_going_on = Poll.closes_at > database_time(session)
    return alike(session, asked, _PUBLIC, is_going_on, not_(left_out()), limit=limit)


def alike(
    session: Session, asked: Asked, *among: ColumnElement[bool], limit: int = MOST
) -> list[Similar]:
    """Polls that satisfy *among* and read like what is asked, the nearest first."""
    degrees, question = _degrees(session, asked, among), marks_of(asked.question)
    found = for_a_list(session, select(Poll).where(Poll.id.in_(degrees)))
    scored = [
        Similar(poll=poll, score=round(_score(question, poll, degrees[poll.id]), 3))
        for poll in found
    ]
    return sorted(scored, key=lambda each: (-each.score, -each.poll.id.int))[:limit]


def _degrees(
    session: Session, asked: Asked, among: Sequence[ColumnElement[bool]]
) -> dict[uuid.UUID, float]:
    """How alike the titles are, 0 to 1, of the polls nearest to what is asked, by the language in
    which they are most."""
    found: list[tuple[float, uuid.UUID]] = []
    for column, mine in zip(
        (Poll.title_bigrams, Poll.title_words), marks_of(asked.title), strict=True
    ):
        found += _nearest(session, column, mine, (*among, Poll.id.is_distinct_from(asked.but)))
    return {poll_id: degree for degree, poll_id in sorted(found)[-MOST_COMPARED:]}


def _nearest(
    session: Session,
    column: InstrumentedAttribute[list[int]],
    mine: list[int],
    among: Sequence[ColumnElement[bool]],
) -> Sequence[tuple[float, uuid.UUID]]:
    """How alike, and which, by one of the columns."""
    if not mine:
        return ()
    alike = likeness_to(session, column, mine)
    query = select(alike.degree.label("degree"), Poll.id).where(*among, *alike.conditions)
    nearest = query.order_by(desc("degree"), Poll.id.desc()).limit(MOST_COMPARED)
    return [(degree, poll_id) for degree, poll_id in session.execute(nearest)]


def _score(question: Marks, poll: Poll, degree: float) -> float:
    of_question = likeness(question, marks_of(poll.content["question"]["text"]))
    if of_question is None:
        return degree
    return (1 - WORTH_OF_QUESTION) * degree + WORTH_OF_QUESTION * of_question


def warn_of_similar(session: Session, poll: Poll) -> list[SimilarOpen]:
    """What the author of a citizen's public draft should see before it is posted, if anything."""
    if poll.origin != "citizen" or poll.is_private or poll.state != "draft":
        return []
    found = similar_to(session, asked=Asked.by(poll), limit=5)
    close = [each for each in found if each.score >= CLOSE]
    return [SimilarOpen(close)] if close else []
