"""A request of two officers that was about the end of voting lapses when that end moves.

Who asked to close a poll early, or to extend it, asked so under the end that stood then. Until now
such a request could still be granted after an extension.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mvote.base import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# The functions of 0008, each with a place for what is new. What 0012 pinned stays pinned.
APPROVAL_GUARD = """
CREATE OR REPLACE FUNCTION approval_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.granted_by IS NOT NULL{not_lapsed} OR NOT is_officer(NEW.asked_by) THEN
            RAISE EXCEPTION 'an approval begins with the request of an officer'
                USING ERRCODE = 'restrict_violation';
        END IF;
        NEW.asked_at := clock_timestamp();
        NEW.expires_at := NEW.asked_at + interval '24 hours';
        RETURN NEW;
    END IF;
    IF (OLD.id, OLD.act, OLD.subject_id, OLD.arguments, OLD.asked_by, OLD.asked_at, OLD.expires_at)
        IS DISTINCT FROM
        (NEW.id, NEW.act, NEW.subject_id, NEW.arguments, NEW.asked_by, NEW.asked_at, NEW.expires_at)
        OR OLD.granted_by IS NOT NULL{stays_lapsed}
        OR NOT ({lapses}is_officer(NEW.asked_by) AND is_officer(NEW.granted_by)) THEN
        RAISE EXCEPTION 'an approval is granted once, as it was asked for, by a second officer'
            USING ERRCODE = 'restrict_violation';
    END IF;
    {stamp}
    RETURN NEW;
END $$
"""
GRANTED_ONLY = {
    "not_lapsed": "",
    "stays_lapsed": "",
    "lapses": "",
    "stamp": "NEW.granted_at := clock_timestamp();",
}
GRANTED_OR_LAPSED = {
    "not_lapsed": " OR NEW.lapsed_at IS NOT NULL",
    "stays_lapsed": " OR OLD.lapsed_at IS NOT NULL",
    "lapses": "NEW.lapsed_at IS NOT NULL AND NEW.granted_by IS NULL\n            OR ",
    "stamp": """IF NEW.lapsed_at IS NOT NULL THEN
        NEW.lapsed_at := clock_timestamp();
    ELSE
        NEW.granted_at := clock_timestamp();
    END IF;""",
}

ASK_APPROVAL = """
CREATE OR REPLACE FUNCTION ask_approval(
    p_id uuid, p_act text, p_subject_id uuid, p_arguments bytea, p_asked_by uuid
) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    waiting uuid;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_subject_id::text, 4));
    SELECT id INTO waiting FROM approval
        WHERE subject_id = p_subject_id AND act = p_act AND arguments = p_arguments
            AND granted_by IS NULL{not_lapsed}
            AND clock_timestamp() < expires_at AND is_officer(asked_by)
        ORDER BY asked_at LIMIT 1;
    IF waiting IS NULL THEN
        INSERT INTO approval (id, act, subject_id, arguments, asked_by)
            VALUES (p_id, p_act, p_subject_id, p_arguments, p_asked_by)
            RETURNING id INTO waiting;
    END IF;
    RETURN waiting;
END $$
"""

GRANT_APPROVAL = """
CREATE OR REPLACE FUNCTION grant_approval(
    p_id uuid, p_act text, p_subject_id uuid, p_granted_by uuid
) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    approved bytea;
BEGIN
    UPDATE approval SET granted_by = p_granted_by
        WHERE id = p_id AND act = p_act AND subject_id = p_subject_id
            AND granted_by IS NULL{not_lapsed}
        RETURNING arguments INTO approved;
    IF approved IS NULL THEN
        RAISE EXCEPTION 'no such request waits' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN convert_from(approved, 'UTF8')::jsonb;
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
    PERFORM pg_advisory_xact_lock(poll_lock(p_poll_id));
    SELECT * INTO now_open FROM poll WHERE id = p_poll_id FOR UPDATE;
    extending_time := clock_timestamp();
    IF (now_open.state = 'open' AND extending_time < now_open.closes_at) IS NOT TRUE THEN
        RETURN false;
    END IF;
    approved := grant_approval(p_approval_id, 'poll:extend', p_poll_id, p_by);
    new_end := (approved ->> 'closes_at')::timestamptz;
    UPDATE poll SET closes_at = new_end WHERE id = p_poll_id;
    UPDATE tombstone SET until = new_end WHERE until < new_end;{others_lapse}
    PERFORM write_notice(p_poll_id, 'extension', extending_time, jsonb_build_object(
        'closes_at', instant(new_end), 'closes_at_before', instant(now_open.closes_at),
        'text', approved -> 'text'));
    RETURN true;
END $$
"""
OTHERS_LAPSE = """
    UPDATE approval SET lapsed_at = extending_time
        WHERE subject_id = p_poll_id AND act IN ('poll:close', 'poll:extend')
            AND granted_by IS NULL AND lapsed_at IS NULL;"""

# What waited while a poll was extended before this migration; younger requests were asked for
# under the end that stands now.
THOSE_OF_BEFORE = """
UPDATE approval SET lapsed_at = clock_timestamp()
    WHERE granted_by IS NULL AND act IN ('poll:close', 'poll:extend')
        AND asked_at < (
            SELECT max((convert_from(content, 'UTF8')::jsonb ->> 'at')::timestamptz) FROM notice
            WHERE poll_id = subject_id
                AND convert_from(content, 'UTF8')::jsonb ->> 'kind' = 'extension')
"""


def upgrade() -> None:
    op.add_column("approval", sa.Column("lapsed_at", UtcDateTime()))
    op.create_check_constraint(
        op.f("ck_approval_granted_or_lapsed"),
        "approval",
        "granted_by IS NULL OR lapsed_at IS NULL",
    )
    _put(GRANTED_OR_LAPSED, not_lapsed=" AND lapsed_at IS NULL", others_lapse=OTHERS_LAPSE)
    op.execute(sa.text(THOSE_OF_BEFORE.replace(":", "\\:")))


def _put(guard: dict[str, str], *, not_lapsed: str, others_lapse: str) -> None:
    bodies = (
        APPROVAL_GUARD.format(**guard),
        ASK_APPROVAL.format(not_lapsed=not_lapsed),
        GRANT_APPROVAL.format(not_lapsed=not_lapsed),
        EXTEND_POLL.format(others_lapse=others_lapse),
    )
    for body in bodies:
        op.execute(sa.text(body.replace(":", "\\:")))


def downgrade() -> None:
    _put(GRANTED_ONLY, not_lapsed="", others_lapse="")
    op.drop_constraint(op.f("ck_approval_granted_or_lapsed"), "approval")
    op.drop_column("approval", "lapsed_at")
