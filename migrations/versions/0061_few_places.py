"""How many places are remembered of one visitor of a poll is counted by an index."""

from __future__ import annotations

from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

INDEX = "ix_place_seen_poll_id_visitor"


def upgrade() -> None:
    op.create_index(INDEX, "place_seen", ["poll_id", "visitor"])


def downgrade() -> None:
    op.drop_index(INDEX, table_name="place_seen")
