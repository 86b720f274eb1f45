"""What is reported of a poll that an officer keeps out of the lists is answered by that decision.

Until now such reports waited for a next decision, which need never come, and were never deleted.
"""

from __future__ import annotations

from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

ANSWER = """
UPDATE report SET decided_before = report.decided_before - 1 FROM moderation_case
    WHERE moderation_case.poll_id = report.poll_id AND moderation_case.state = 'kept'
        AND report.decided_before = moderation_case.decided
"""


def upgrade() -> None:
    op.execute("ALTER TABLE report DISABLE TRIGGER report_guard")
    op.execute(ANSWER)
    op.execute("ALTER TABLE report ENABLE TRIGGER report_guard")


def downgrade() -> None:
    """What was answered stays so."""
