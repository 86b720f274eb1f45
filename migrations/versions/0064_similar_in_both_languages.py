"""Titles of polls are compared in both their languages: beside Korean pairs the words of the other.

Worked out now for polls that may be found: drafts, open ones, and those that were reported.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from mvote.budget.bigrams import bigrams
from mvote.polls.marks import marks_of

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

LIVING = sa.text(
    "SELECT id, content -> 'title' FROM poll WHERE state IN ('draft', 'open')"
    " OR id IN (SELECT poll_id FROM moderation_case)"
)
NUMBERS = ARRAY(sa.Integer())
PUT = sa.text(
    "UPDATE poll SET title_bigrams = :pairs, title_words = :words WHERE id = :id"
).bindparams(sa.bindparam("pairs", type_=NUMBERS), sa.bindparam("words", type_=NUMBERS))
PUT_BACK = sa.text("UPDATE poll SET title_bigrams = :pairs WHERE id = :id").bindparams(
    sa.bindparam("pairs", type_=NUMBERS)
)


def upgrade() -> None:
    op.add_column("poll", sa.Column("title_words", NUMBERS, nullable=False, server_default="{}"))
    connection = op.get_bind()
    for poll_id, title in _titles():
        marks = marks_of(title)
        connection.execute(PUT, {"id": poll_id, "pairs": marks.pairs, "words": marks.words})
    op.create_index(
        "ix_poll_title_words",
        "poll",
        ["title_words"],
        postgresql_using="gin",
        postgresql_where=sa.text("state = 'open' AND NOT is_private"),
    )


def downgrade() -> None:
    connection = op.get_bind()
    for poll_id, title in _titles():
        best = title.get("ko") or title.get("en") or ""
        connection.execute(PUT_BACK, {"id": poll_id, "pairs": bigrams(best)})
    op.drop_index("ix_poll_title_words", "poll")
    op.drop_column("poll", "title_words")


def _titles() -> list[tuple[object, Mapping[str, str]]]:
    return [(poll_id, title or {}) for poll_id, title in op.get_bind().execute(LIVING).all()]
