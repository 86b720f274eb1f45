"""Nothing joins a report with its person: no row of the same transaction, no instant.

The limit's row was written with the report and named its person by a hash without a key. Instants
of cases are cut to the hour.
"""

from __future__ import annotations

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

CUT = "date_trunc('hour', {0}, 'UTC')"


def upgrade() -> None:
    op.execute("DELETE FROM allowance WHERE name = 'reports'")
    op.execute(
        f"UPDATE moderation_case SET held_at = {CUT.format('held_at')},"
        f" waiting_since = {CUT.format('waiting_since')}"
    )
    op.execute("ALTER TABLE moderation_decision DISABLE TRIGGER insert_only")
    op.execute(f"UPDATE moderation_decision SET held_at = {CUT.format('held_at')}")
    op.execute("ALTER TABLE moderation_decision ENABLE TRIGGER insert_only")


def downgrade() -> None:
    """What is forgotten stays so."""
