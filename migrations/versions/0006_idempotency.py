"""Answers kept for a day, so that a request that comes twice is carried out once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from mvote.base import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_answer",
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "operation", "key_hash", name="pk_kept_answer"),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_kept_answer_citizen_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "octet_length(key_hash) = 32", name=op.f("ck_kept_answer_key_hash_whole")
        ),
        sa.CheckConstraint(
            "octet_length(request_hash) = 32", name=op.f("ck_kept_answer_request_hash_whole")
        ),
    )
    op.create_index("ix_kept_answer_kept_until", "kept_answer", ["kept_until"])
    op.execute("GRANT SELECT, INSERT, DELETE ON kept_answer TO mvote_api")


def downgrade() -> None:
    op.drop_table("kept_answer")
