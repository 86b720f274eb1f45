"""Nonces for positions. UNLOGGED: no WAL says when somebody was about to send one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "position_nonce",
        sa.Column("nonce_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce_hash", name="pk_position_nonce"),
        sa.CheckConstraint(
            "octet_length(nonce_hash) = 32", name=op.f("ck_position_nonce_nonce_hash_whole")
        ),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_position_nonce_expires_at", "position_nonce", ["expires_at"])
    op.execute("GRANT SELECT, INSERT, DELETE ON position_nonce TO mvote_api")


def downgrade() -> None:
    op.drop_table("position_nonce")
