"""Site codes: what joins a site to a poll."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mvote.base import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_code",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_until", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_site_code"),
        sa.CheckConstraint("kind IN ('link')", name=op.f("ck_site_code_kind_known")),
        sa.CheckConstraint(
            "valid_from < valid_until", name=op.f("ck_site_code_valid_from_before_until")
        ),
        sa.CheckConstraint(
            "code ~ '^[0-9A-HJKMNP-TV-Z]{12}$'", name=op.f("ck_site_code_crockford")
        ),
    )
    op.create_index("ix_site_code_poll_id", "site_code", ["poll_id"])
    op.create_index("ix_site_code_site_id", "site_code", ["site_id"])
    op.execute("GRANT SELECT, INSERT ON site_code TO mvote_api")
    op.execute("GRANT UPDATE (revoked_at) ON site_code TO mvote_api")


def downgrade() -> None:
    op.drop_table("site_code")
