"""A nonce that was used for a ballot stays until it expires, marked with the request.

So the same request is taken again after a lost answer, also while its first try is under way.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("position_nonce", sa.Column("used_for", sa.LargeBinary()))
    op.create_check_constraint(
        op.f("ck_position_nonce_used_for_whole"), "position_nonce", "octet_length(used_for) = 32"
    )
    op.execute("GRANT UPDATE (used_for) ON position_nonce TO mvote_api")


def downgrade() -> None:
    op.execute("DELETE FROM position_nonce WHERE used_for IS NOT NULL")
    op.drop_column("position_nonce", "used_for")
