"""Who leaves asks one lock when the last poll ends, instead of locking every poll.

An account that is deleted, or a number that is given up, must be remembered until the last poll of
its time has closed, and an extension must not miss somebody who is leaving. Until now whoever left
locked all polls that were open, one row after the other: seconds of writing among a hundred
thousand polls, while no poll could open. Now extensions take one lock, and leavers share it.

Polls that follow a moved cycle raise only the terms that still count, as `extend_poll` does since
the migration before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

ALONE = """    PERFORM pg_advisory_xact_lock(hashtextextended('extending', 11));
"""
LIVING = " AND until > clock_timestamp()"

# NULL where no poll lives. In statements of their own: what is read must be later than the lock.
LAST_POLL_ENDS = """
CREATE FUNCTION last_poll_ends() RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    latest timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('extending', 11));
    SELECT closes_at INTO latest FROM poll
        WHERE state IN ('open', 'closing') ORDER BY closes_at DESC LIMIT 1;
    RETURN latest;
END $$
"""
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
{alone}    PERFORM pg_advisory_xact_lock(hashtextextended(p_poll_id::text, 4));
    PERFORM pg_advisory_xact_lock(poll_lock(p_poll_id));
    SELECT * INTO now_open FROM poll WHERE id = p_poll_id FOR UPDATE;
    extending_time := clock_timestamp();
    IF (now_open.state = 'open' AND extending_time < now_open.closes_at) IS NOT TRUE THEN
        RETURN false;
    END IF;
    approved := grant_approval(p_approval_id, 'poll:extend', p_poll_id, p_by);
    new_end := (approved ->> 'closes_at')::timestamptz;
    UPDATE poll SET closes_at = new_end WHERE id = p_poll_id;
    UPDATE tombstone SET until = new_end WHERE until < new_end AND until > extending_time;
    UPDATE approval SET lapsed_at = extending_time
        WHERE subject_id = p_poll_id AND act IN ('poll:close', 'poll:extend')
            AND granted_by IS NULL AND lapsed_at IS NULL;
    PERFORM write_notice(p_poll_id, 'extension', extending_time, jsonb_build_object(
        'closes_at', instant(new_end), 'closes_at_before', instant(now_open.closes_at),
        'text', approved -> 'text'));
    RETURN true;
END $$
"""
MOVE_POLLS_OF_CYCLE = """
CREATE OR REPLACE FUNCTION move_polls_of_cycle(
    p_cycle_id uuid, p_before jsonb, p_after jsonb, p_moving_time timestamptz, p_text jsonb
) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    asked record;
    planned_before jsonb;
    planned_after jsonb;
    now_open poll;
    new_end timestamptz;
BEGIN
{alone}    FOR asked IN
        SELECT k.poll_id, k.contest, k.source FROM contest_poll k JOIN poll p ON p.id = k.poll_id
        WHERE k.cycle_id = p_cycle_id AND p.state = 'open' ORDER BY k.poll_id
    LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended(asked.poll_id::text, 4));  -- who asks now
        PERFORM pg_advisory_xact_lock(poll_lock(asked.poll_id));
        SELECT * INTO now_open FROM poll WHERE id = asked.poll_id FOR UPDATE;
        CONTINUE WHEN now_open.state <> 'open' OR clock_timestamp() >= now_open.closes_at;
        planned_before := period_of_source(p_before, asked.contest, asked.source);
        planned_after := period_of_source(p_after, asked.contest, asked.source);
        new_end := (planned_after ->> 'closes_at')::timestamptz;
        CONTINUE WHEN planned_before = planned_after AND now_open.closes_at <= (
            SELECT closes_at FROM cycle_phase WHERE cycle_id = p_cycle_id AND kind = 'balloting');
        IF (planned_before ->> 'opens_at')::timestamptz
                IS DISTINCT FROM (planned_after ->> 'opens_at')::timestamptz
            OR new_end < now_open.closes_at THEN
            RAISE EXCEPTION 'a frozen poll begins as planned, and ends no earlier'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'contest_poll_as_frozen';
        END IF;
        CONTINUE WHEN new_end = now_open.closes_at;
        UPDATE poll SET closes_at = new_end WHERE id = asked.poll_id;
        UPDATE tombstone SET until = new_end WHERE until < new_end{which};
        UPDATE approval SET lapsed_at = p_moving_time
            WHERE subject_id = asked.poll_id AND act IN ('poll:close', 'poll:extend')
                AND granted_by IS NULL AND lapsed_at IS NULL;
        PERFORM write_notice(asked.poll_id, 'extension', p_moving_time, jsonb_build_object(
            'closes_at', instant(new_end), 'closes_at_before', instant(now_open.closes_at),
            'text', p_text));
    END LOOP;
END $$
"""


def upgrade() -> None:
    _run(LAST_POLL_ENDS)
    _run("REVOKE EXECUTE ON FUNCTION last_poll_ends() FROM PUBLIC")
    _run("GRANT EXECUTE ON FUNCTION last_poll_ends() TO mvote_api")
    _run(EXTEND_POLL.format(alone=ALONE))
    _run(MOVE_POLLS_OF_CYCLE.format(alone=ALONE, which=LIVING))


def downgrade() -> None:
    _run(MOVE_POLLS_OF_CYCLE.format(alone="", which=""))
    _run(EXTEND_POLL.format(alone=""))
    _run("DROP FUNCTION last_poll_ends()")


def _run(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", "\\:")))
