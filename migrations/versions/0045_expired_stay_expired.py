"""Extending a poll raises the term only of what still counts.

What was left behind in polls that have ended is deleted by a sweep, later. Until then an extension
raised its term, too: a number or identity would have meant again what it meant long before.
Whatever this poll needs ends no earlier than the poll, which is open.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

LIVING = " AND until > extending_time"
EXTEND_POLL = """
CREATE OR REPLACE FUNCTION extend_poll(p_poll_id uuid, p_approval_id uuid, p_by uuid)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    now_open poll;
    extending_time timestamptz;
    approved jsonb;
    new_end timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_poll_id::text, 4));
    PERFORM pg_advisory_xact_lock(poll_lock(p_poll_id));
    SELECT * INTO now_open FROM poll WHERE id = p_poll_id FOR UPDATE;
    extending_time := clock_timestamp();
    IF (now_open.state = 'open' AND extending_time < now_open.closes_at) IS NOT TRUE THEN
        RETURN false;
    END IF;
    approved := grant_approval(p_approval_id, 'poll:extend', p_poll_id, p_by);
    new_end := (approved ->> 'closes_at')::timestamptz;
    UPDATE poll SET closes_at = new_end WHERE id = p_poll_id;
    UPDATE tombstone SET until = new_end WHERE until < new_end{which};
    UPDATE approval SET lapsed_at = extending_time
        WHERE subject_id = p_poll_id AND act IN ('poll:close', 'poll:extend')
            AND granted_by IS NULL AND lapsed_at IS NULL;
    PERFORM write_notice(p_poll_id, 'extension', extending_time, jsonb_build_object(
        'closes_at', instant(new_end), 'closes_at_before', instant(now_open.closes_at),
        'text', approved -> 'text'));
    RETURN true;
END $$
"""


def upgrade() -> None:
    _put(LIVING)


def downgrade() -> None:
    _put("")


def _put(which: str) -> None:
    op.execute(sa.text(EXTEND_POLL.format(which=which).replace(":", "\\:")))
