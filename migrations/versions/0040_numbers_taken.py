"""When an account took its number or identity: in polls opened before, they meant somebody else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

COLUMNS = ("phone_since", "identity_since")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("citizen", sa.Column(name, sa.DateTime(timezone=True)))
    op.execute(f"GRANT UPDATE ({', '.join(COLUMNS)}) ON citizen TO mvote_api")
    op.create_index("ix_tombstone_anchor", "tombstone", ["anchor"])


def downgrade() -> None:
    op.drop_index("ix_tombstone_anchor", "tombstone")
    op.execute(f"REVOKE UPDATE ({', '.join(COLUMNS)}) ON citizen FROM mvote_api")
    for name in COLUMNS:
        op.drop_column("citizen", name)
