"""What a citizen's list of sessions shows: when each was last used, how it began, on what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_in", sa.Column("last_used_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE sign_in SET last_used_at = started_at")
    op.alter_column("sign_in", "last_used_at", nullable=False)
    op.add_column("sign_in", sa.Column("how", sa.String(), server_default="phone", nullable=False))
    op.alter_column("sign_in", "how", server_default=None)
    op.add_column("sign_in", sa.Column("device", sa.String()))
    op.create_check_constraint(
        op.f("ck_sign_in_how_known"), "sign_in", "how IN ('phone', 'identity')"
    )
    op.create_check_constraint(
        op.f("ck_sign_in_device_short"), "sign_in", "char_length(device) BETWEEN 1 AND 60"
    )
    op.execute("GRANT UPDATE (last_used_at) ON sign_in TO mvote_api")


def downgrade() -> None:
    op.execute("REVOKE UPDATE (last_used_at) ON sign_in FROM mvote_api")
    op.drop_constraint(op.f("ck_sign_in_device_short"), "sign_in")
    op.drop_constraint(op.f("ck_sign_in_how_known"), "sign_in")
    op.drop_column("sign_in", "device")
    op.drop_column("sign_in", "how")
    op.drop_column("sign_in", "last_used_at")
