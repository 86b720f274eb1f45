"""What the titles of polls are compared by; of those that are open it is worked out now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from mvote.budget.bigrams import bigrams

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

LIVING = sa.text("SELECT id, content -> 'title' FROM poll WHERE state IN ('draft', 'open')")
PUT = sa.text("UPDATE poll SET title_bigrams = :found WHERE id = :id").bindparams(
    sa.bindparam("found", type_=ARRAY(sa.Integer()))
)


def upgrade() -> None:
    op.add_column(
        "poll",
        sa.Column("title_bigrams", ARRAY(sa.Integer()), nullable=False, server_default="{}"),
    )
    connection = op.get_bind()
    for poll_id, title in connection.execute(LIVING).all():
        words = (title or {}).get("ko") or (title or {}).get("en") or ""
        connection.execute(PUT, {"id": poll_id, "found": bigrams(words)})
    op.create_index(
        "ix_poll_title_bigrams",
        "poll",
        ["title_bigrams"],
        postgresql_using="gin",
        postgresql_where=sa.text("state = 'open' AND NOT is_private"),
    )


def downgrade() -> None:
    op.drop_index("ix_poll_title_bigrams", "poll")
    op.drop_column("poll", "title_bigrams")
