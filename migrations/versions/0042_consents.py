"""Which text was shown to whoever consented."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

CHECK = "ck_consent_version_short"


def upgrade() -> None:
    op.add_column("consent", sa.Column("text_version", sa.String()))
    condition = "char_length(text_version) BETWEEN 1 AND 40"
    op.create_check_constraint(op.f(CHECK), "consent", condition)


def downgrade() -> None:
    op.drop_constraint(op.f(CHECK), "consent")
    op.drop_column("consent", "text_version")
