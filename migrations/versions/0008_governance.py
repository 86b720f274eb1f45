"""Governance: approvals by two persons, notices, early close, extension, voiding, publication."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mvote.base import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The guard of 0003, and what may move now: the closing time of an open poll, by an extension, and
# the end of casting where an open poll is voided. `extend_poll` reads the clock after its lock; the
# start of the call, which is earlier, refuses the others and never contradicts it.
FROZEN = """
    IF OLD.state <> 'draft' AND (OLD.id, OLD.author_id, OLD.department_id, OLD.origin, OLD.content,
            OLD.opens_at, OLD.closes_at, OLD.created_at, OLD.frozen_at)
        IS DISTINCT FROM (NEW.id, NEW.author_id, NEW.department_id, NEW.origin, NEW.content,
            NEW.opens_at, NEW.closes_at, NEW.created_at, NEW.frozen_at) THEN
        RAISE EXCEPTION 'a frozen poll does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (OLD.state = NEW.state OR NEW.state <> 'closing')
"""
FROZEN_BUT_EXTENDED = """
    IF OLD.state <> 'draft' AND ((OLD.id, OLD.author_id, OLD.department_id, OLD.origin, OLD.content,
            OLD.opens_at, OLD.created_at, OLD.frozen_at)
        IS DISTINCT FROM (NEW.id, NEW.author_id, NEW.department_id, NEW.origin, NEW.content,
            NEW.opens_at, NEW.created_at, NEW.frozen_at)
        OR NEW.closes_at IS DISTINCT FROM OLD.closes_at AND NOT by_the_box) THEN
        RAISE EXCEPTION 'a frozen poll does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'draft' AND NEW.closes_at IS DISTINCT FROM OLD.closes_at AND NOT (
            OLD.state = 'open' AND NEW.state = 'open'
            AND NEW.closes_at > OLD.closes_at AND statement_timestamp() < OLD.closes_at
            AND NEW.closes_at - OLD.opens_at <= interval '366 days') THEN
        RAISE EXCEPTION 'the end of voting moves only later, only while voting has not ended'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF (OLD.state = NEW.state OR NEW.state <> 'closing' AND (OLD.state, NEW.state)
                <> ('open', 'voided'))
"""
POLL_GUARD = """
CREATE OR REPLACE FUNCTION poll_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    by_the_box boolean :=
        current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID);
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR num_nonnulls(NEW.frozen_at, NEW.closed_at, NEW.counted_at,
                NEW.published_at, NEW.cancelled_at) > 0 THEN
            RAISE EXCEPTION 'a poll begins as a draft' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> NEW.state THEN
        PERFORM poll_moves(OLD, NEW, by_the_box);
    END IF;
    {frozen}
            AND OLD.closed_at IS DISTINCT FROM NEW.closed_at
        OR (OLD.state = NEW.state OR NEW.state <> 'counted')
            AND OLD.counted_at IS DISTINCT FROM NEW.counted_at
        OR (OLD.state = NEW.state OR NEW.state <> 'published')
            AND OLD.published_at IS DISTINCT FROM NEW.published_at
        OR (OLD.state = NEW.state OR NEW.state <> 'cancelled')
            AND OLD.cancelled_at IS DISTINCT FROM NEW.cancelled_at THEN
        RAISE EXCEPTION 'the times of a poll are set once, by what they are the times of'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

IS_OFFICER = """
CREATE FUNCTION is_officer(p_citizen_id uuid) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM role_grant WHERE citizen_id = p_citizen_id AND role = 'officer'
    )
$$
"""

# Asked by one officer, granted once, by another, within a day: whoever writes the rows.
APPROVAL_GUARD = """
CREATE FUNCTION approval_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.granted_by IS NOT NULL OR NOT is_officer(NEW.asked_by) THEN
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
        OR OLD.granted_by IS NOT NULL
        OR NOT (is_officer(NEW.asked_by) AND is_officer(NEW.granted_by)) THEN
        RAISE EXCEPTION 'an approval is granted once, as it was asked for, by a second officer'
            USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.granted_at := clock_timestamp();
    RETURN NEW;
END $$
"""

# The waiting request for this very act, or a new one. One asks at a time for each subject, so that
# two who ask at once ask for one thing.
ASK_APPROVAL = """
CREATE FUNCTION ask_approval(
    p_id uuid, p_act text, p_subject_id uuid, p_arguments bytea, p_asked_by uuid
) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    waiting uuid;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_subject_id::text, 4));
    SELECT id INTO waiting FROM approval
        WHERE subject_id = p_subject_id AND act = p_act AND arguments = p_arguments
            AND granted_by IS NULL AND clock_timestamp() < expires_at AND is_officer(asked_by)
        ORDER BY asked_at LIMIT 1;
    IF waiting IS NULL THEN
        INSERT INTO approval (id, act, subject_id, arguments, asked_by)
            VALUES (p_id, p_act, p_subject_id, p_arguments, p_asked_by)
            RETURNING id INTO waiting;
    END IF;
    RETURN waiting;
END $$
"""

# To grant is a part of the act itself: no login can grant and not act, or act and not grant.
GRANT_APPROVAL = """
CREATE FUNCTION grant_approval(
    p_id uuid, p_act text, p_subject_id uuid, p_granted_by uuid
) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    approved bytea;
BEGIN
    UPDATE approval SET granted_by = p_granted_by
        WHERE id = p_id AND act = p_act AND subject_id = p_subject_id AND granted_by IS NULL
        RETURNING arguments INTO approved;
    IF approved IS NULL THEN
        RAISE EXCEPTION 'no such request waits' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN convert_from(approved, 'UTF8')::jsonb;
END $$
"""

# RFC 8785 for what notices hold: no fractions, names of members in ASCII.
CANONICAL_JSON = """
CREATE FUNCTION canonical_json(p_value jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN CASE jsonb_typeof(p_value)
        WHEN 'object' THEN (
            SELECT '{' || coalesce(string_agg(to_json(key)::text || ':' || canonical_json(value),
                ',' ORDER BY key COLLATE "C"), '') || '}' FROM jsonb_each(p_value))
        WHEN 'array' THEN (
            SELECT '[' || coalesce(string_agg(canonical_json(value), ',' ORDER BY place), '') || ']'
            FROM jsonb_array_elements(p_value) WITH ORDINALITY AS t (value, place))
        ELSE p_value::text
    END;
END $$
"""

INSTANT = """
CREATE FUNCTION instant(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$
"""

# The callers hold the poll's row, so each number is given once.
WRITE_NOTICE = """
CREATE FUNCTION write_notice(p_poll_id uuid, p_kind text, p_at timestamptz, p_facts jsonb)
RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO notice (poll_id, n, content)
    SELECT p_poll_id, (SELECT count(*) FROM notice WHERE poll_id = p_poll_id),
        convert_to(canonical_json(jsonb_strip_nulls(p_facts) || jsonb_build_object(
            'format', 'mvote-notice/1', 'poll_id', p_poll_id, 'kind', p_kind, 'at', instant(p_at)
        )), 'UTF8')
$$
"""

# Each act: the poll's lock where casting must stop for it, then the row, then state and clock, then
# the grant, the act, the notice: all or nothing. False where the state does not allow it.
CLOSE_POLL_EARLY = """
CREATE FUNCTION close_poll_early(p_poll_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    now_open poll;
    closing_time timestamptz;
    is_authors boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(poll_lock(p_poll_id));
    SELECT * INTO now_open FROM poll WHERE id = p_poll_id FOR UPDATE;
    closing_time := clock_timestamp();
    IF (now_open.state = 'open' AND closing_time >= now_open.opens_at
            AND closing_time < now_open.closes_at) IS NOT TRUE THEN
        RETURN false;
    END IF;
    is_authors := (now_open.origin = 'citizen' AND now_open.author_id = p_by) IS TRUE;
    IF p_approval_id IS NOT NULL OR NOT is_authors THEN
        PERFORM grant_approval(p_approval_id, 'poll:close', p_poll_id, p_by);
    END IF;
    UPDATE poll SET state = 'closing', closed_at = closing_time WHERE id = p_poll_id;
    PERFORM write_notice(p_poll_id, 'early-close', closing_time, jsonb_build_object(
        'by', CASE WHEN p_approval_id IS NULL THEN 'author' ELSE 'two officers' END,
        'closes_at_before', instant(now_open.closes_at)));
    RETURN true;
END $$
"""

# Who gave up an account while this poll lives must not come back and vote in it a second time: what
# is left of them stays until the new end.
EXTEND_POLL = """
CREATE FUNCTION extend_poll(p_poll_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
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
    UPDATE tombstone SET until = new_end WHERE until < new_end;
    PERFORM write_notice(p_poll_id, 'extension', extending_time, jsonb_build_object(
        'closes_at', instant(new_end), 'closes_at_before', instant(now_open.closes_at),
        'text', approved -> 'text'));
    RETURN true;
END $$
"""

VOID_POLL = """
CREATE FUNCTION void_poll(p_poll_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    before poll;
    voiding_time timestamptz;
    approved jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(poll_lock(p_poll_id));
    SELECT * INTO before FROM poll WHERE id = p_poll_id FOR UPDATE;
    voiding_time := clock_timestamp();
    IF (before.state IN ('open', 'closing', 'closed', 'counted')) IS NOT TRUE THEN
        RETURN false;
    END IF;
    approved := grant_approval(p_approval_id, 'poll:void', p_poll_id, p_by);
    UPDATE poll SET state = 'voided', closed_at = coalesce(closed_at, voiding_time)
        WHERE id = p_poll_id;
    PERFORM write_notice(p_poll_id, 'voiding', voiding_time, jsonb_build_object(
        'state_before', before.state, 'text', approved -> 'text'));
    RETURN true;
END $$
"""

# Against the accounting: with exactly the figures that do not add up.
PUBLISH_POLL = """
CREATE FUNCTION publish_poll(p_poll_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    state_now text;
    publishing_time timestamptz;
BEGIN
    SELECT state INTO state_now FROM poll WHERE id = p_poll_id FOR UPDATE;
    publishing_time := clock_timestamp();
    IF state_now IS DISTINCT FROM 'counted' THEN
        RETURN false;
    END IF;
    PERFORM grant_approval(p_approval_id, 'poll:publish', p_poll_id, p_by);
    UPDATE poll SET state = 'published', published_at = publishing_time WHERE id = p_poll_id;
    PERFORM write_notice(p_poll_id, 'publication', publishing_time, jsonb_build_object('accounting',
        (SELECT to_jsonb(a) - 'poll_id' FROM accounting a WHERE poll_id = p_poll_id)));
    RETURN true;
END $$
"""

PUBLISH_CORRECTION = """
CREATE FUNCTION publish_correction(p_poll_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    is_frozen boolean;
    publishing_time timestamptz;
    approved jsonb;
BEGIN
    SELECT frozen_at IS NOT NULL INTO is_frozen FROM poll WHERE id = p_poll_id FOR UPDATE;
    publishing_time := clock_timestamp();
    IF is_frozen IS NOT TRUE THEN
        RETURN false;
    END IF;
    approved := grant_approval(p_approval_id, 'poll:correct', p_poll_id, p_by);
    PERFORM write_notice(p_poll_id, 'correction', publishing_time, jsonb_build_object(
        'text', approved -> 'text'));
    RETURN true;
END $$
"""

# The log's own guard of 0007 takes a notice's entry for any frozen poll; from here on there are
# notices to compare it with.
NOTICE_GUARD = """
CREATE FUNCTION notice_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
            SELECT 1 FROM notice WHERE poll_id = NEW.poll_id AND sha256(content) = NEW.data) THEN
        RAISE EXCEPTION 'the log takes notices that were published, and no others'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

INNER_FUNCTIONS = {
    "is_officer(uuid)": IS_OFFICER,
    "grant_approval(uuid, text, uuid, uuid)": GRANT_APPROVAL,
    "canonical_json(jsonb)": CANONICAL_JSON,
    "instant(timestamptz)": INSTANT,
    "write_notice(uuid, text, timestamptz, jsonb)": WRITE_NOTICE,
}
FUNCTIONS = {
    "ask_approval(uuid, text, uuid, bytea, uuid)": ASK_APPROVAL,
    "close_poll_early(uuid, uuid, uuid)": CLOSE_POLL_EARLY,
    "extend_poll(uuid, uuid, uuid)": EXTEND_POLL,
    "void_poll(uuid, uuid, uuid)": VOID_POLL,
    "publish_poll(uuid, uuid, uuid)": PUBLISH_POLL,
    "publish_correction(uuid, uuid, uuid)": PUBLISH_CORRECTION,
}


def upgrade() -> None:
    _create_tables()
    for signature, body in (INNER_FUNCTIONS | FUNCTIONS).items():
        op.execute(sa.text(body.replace(":", "\\:")))
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    for signature in FUNCTIONS:
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO mvote_api")
    op.execute(sa.text(APPROVAL_GUARD.replace(":", "\\:")))
    op.execute(
        "CREATE TRIGGER approval_guard BEFORE INSERT OR UPDATE ON approval"
        " FOR EACH ROW EXECUTE FUNCTION approval_guard()"
    )
    op.execute(sa.text(NOTICE_GUARD.replace(":", "\\:")))
    op.execute(
        "CREATE TRIGGER notice_guard BEFORE INSERT ON log_entry"
        " FOR EACH ROW WHEN (NEW.kind = 3) EXECUTE FUNCTION notice_guard()"
    )
    for table, events in (("approval", "DELETE"), ("notice", "UPDATE OR DELETE")):
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE {events} ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION insert_only()"
        )
    op.execute(sa.text(POLL_GUARD.format(frozen=FROZEN_BUT_EXTENDED).replace(":", "\\:")))
    op.execute("GRANT SELECT ON approval TO mvote_api")
    op.execute("GRANT SELECT ON notice TO mvote_api, mvote_shuffler")


def _create_tables() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("arguments", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("granted_by", sa.Uuid()),
        sa.Column("granted_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
        sa.CheckConstraint("act ~ '^[a-z_]+:[a-z_]+$'", name=op.f("ck_approval_act_named")),
        sa.CheckConstraint("granted_by <> asked_by", name=op.f("ck_approval_by_two_persons")),
        sa.CheckConstraint("asked_at < expires_at", name=op.f("ck_approval_expires")),
        sa.CheckConstraint(
            "(granted_by IS NULL) = (granted_at IS NULL)", name=op.f("ck_approval_granted_by_one")
        ),
        sa.CheckConstraint(
            "granted_at >= asked_at AND granted_at < expires_at",
            name=op.f("ck_approval_granted_in_time"),
        ),
    )
    op.create_index(
        "ix_approval_waiting",
        "approval",
        ["subject_id", "act"],
        postgresql_where=sa.text("granted_by IS NULL"),
    )
    op.create_table(
        "notice",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", "n", name="pk_notice"),
        sa.CheckConstraint("n >= 0", name=op.f("ck_notice_numbered")),
    )


def downgrade() -> None:
    op.execute(sa.text(POLL_GUARD.format(frozen=FROZEN).replace(":", "\\:")))
    for signature in reversed(FUNCTIONS | INNER_FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
    op.execute("DROP TRIGGER notice_guard ON log_entry")
    op.execute("DROP FUNCTION notice_guard()")
    op.drop_table("notice")
    op.drop_table("approval")
    op.execute("DROP FUNCTION approval_guard()")
