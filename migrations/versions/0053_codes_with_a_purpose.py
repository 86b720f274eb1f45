"""One-time codes are good for one purpose: signing in, or being an account's new number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "challenge",
        sa.Column("purpose", sa.String(), nullable=False, server_default="sign-in"),
    )
    op.alter_column("challenge", "purpose", server_default=None)
    op.create_check_constraint(
        op.f("ck_challenge_purpose_known"), "challenge", "purpose IN ('sign-in', 'new-number')"
    )


def downgrade() -> None:
    op.drop_column("challenge", "purpose")
