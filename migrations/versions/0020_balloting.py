"""Contests as polls: which poll asks for which source, rolls, and release together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# A source is asked once; once more only after its poll was given up. What the poll asks says for
# which source it is, and shows nothing before it is closed.
CONTEST_POLL_GUARD = """
CREATE FUNCTION contest_poll_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    before contest_poll;
    asked poll;
BEGIN
    SELECT * INTO before FROM contest_poll
        WHERE (cycle_id, contest, source) = (NEW.cycle_id, NEW.contest, NEW.source)
        ORDER BY n DESC LIMIT 1;
    IF NEW.n <> coalesce(before.n, 0) + 1 OR before.poll_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM poll WHERE id = before.poll_id AND state IN ('cancelled', 'voided')) THEN
        RAISE EXCEPTION 'a source is asked again only after its poll was given up'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'contest_poll_once';
    END IF;
    SELECT * INTO asked FROM poll WHERE id = NEW.poll_id;
    IF asked.state IS DISTINCT FROM 'open' OR asked.content ->> 'results' = 'live'
        OR asked.content -> 'cycle' IS DISTINCT FROM jsonb_build_object(
            'id', NEW.cycle_id, 'contest', NEW.contest, 'source', NEW.source) THEN
        RAISE EXCEPTION 'the poll of a source is frozen, names it, and is silent until it is closed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

ROLL_GUARD = """
CREATE FUNCTION roll_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM poll WHERE id = NEW.poll_id AND state = 'draft') THEN
        RAISE EXCEPTION 'the roll is frozen with its poll' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# Whether a source of the contest is still to be asked, to close, or to be counted. One that nobody
# has opened, or whose poll was given up, is waited for until its time is over.
CONTEST_UNFINISHED = """
CREATE FUNCTION contest_unfinished(p_cycle_id uuid, p_contest text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM cycle
        CROSS JOIN LATERAL jsonb_array_elements(cycle.definition -> 'contests') AS contest
        CROSS JOIN LATERAL jsonb_array_elements(contest -> 'sources') AS wanted
        LEFT JOIN LATERAL (
            SELECT poll.state FROM contest_poll JOIN poll ON poll.id = contest_poll.poll_id
            WHERE contest_poll.cycle_id = p_cycle_id AND contest_poll.contest = p_contest
                AND contest_poll.source = wanted ->> 'key'
            ORDER BY contest_poll.n DESC LIMIT 1
        ) newest ON true
        WHERE cycle.id = p_cycle_id AND contest ->> 'key' = p_contest
            AND coalesce(wanted ->> 'kind', 'poll') = 'poll'
            AND CASE WHEN newest.state IS NULL OR newest.state IN ('cancelled', 'voided')
                THEN clock_timestamp() < (period_of_source(
                    cycle.definition, p_contest, wanted ->> 'key') ->> 'closes_at')::timestamptz
                ELSE newest.state IN ('draft', 'open', 'closing', 'closed') END)
$$
"""

# The same figures as before, but of a contest only once its last source is counted, too.
HELD = """
    AND (p.state = 'published' OR NOT EXISTS (
        SELECT 1 FROM contest_poll k
        WHERE k.poll_id = r.poll_id AND contest_unfinished(k.cycle_id, k.contest)))
"""
ACCOUNTING = """
CREATE OR REPLACE VIEW accounting WITH (security_barrier) AS
SELECT r.poll_id, r.participations, r.entries, r.records, r.quarantined, r.unopenable,
    r.accounting_holds AND r.recounted IS NOT FALSE AND r.log_agrees IS NOT FALSE
        AS accounting_holds,
    r.recounted, r.log_agrees
FROM result r JOIN poll p ON p.id = r.poll_id
WHERE p.state IN ('counted', 'published', 'voided') {held}
"""

WIDTH = "(4 + 2 * (256 * get_byte(vectors, 2) + get_byte(vectors, 3)))"
HOLDS = f"""accounting_holds AND recounted IS NOT FALSE AND log_agrees IS NOT FALSE
            AND participations = participation_count(p_poll_id)
            AND quarantined = quarantined_count(p_poll_id)
            AND records = (SELECT coalesce(sum(length(vectors) / {WIDTH}), 0)
                FROM record WHERE poll_id = p_poll_id)"""

ACCOUNTING_AGREES = f"""
CREATE FUNCTION accounting_agrees(p_poll_id uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT {HOLDS} FROM result WHERE poll_id = p_poll_id
$$
"""

CONTEST_LOCK = """
CREATE FUNCTION contest_lock(p_cycle_id uuid, p_contest text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT hashtextextended(p_cycle_id::text || '/' || p_contest, 7076747)
$$
"""

# All sources at once, or none. Two that are counted at the same moment each wait for the other, so
# the later one sees both. Where a count does not add up, two officers decide on it first.
RELEASE_CONTEST = """
CREATE FUNCTION release_contest(p_cycle_id uuid, p_contest text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    release_time timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(contest_lock(p_cycle_id, p_contest));
    release_time := clock_timestamp();
    IF contest_unfinished(p_cycle_id, p_contest)
        OR EXISTS (SELECT 1 FROM contest_poll k JOIN poll p ON p.id = k.poll_id
            WHERE k.cycle_id = p_cycle_id AND k.contest = p_contest AND p.state = 'counted'
                AND accounting_agrees(p.id) IS NOT TRUE) THEN
        RETURN;
    END IF;
    UPDATE poll SET state = 'published', published_at = release_time
        WHERE state = 'counted' AND id IN (SELECT poll_id FROM contest_poll
            WHERE cycle_id = p_cycle_id AND contest = p_contest);
END $$
"""

# For what no count brings about: the last source was voided, or never asked.
RELEASE_CONTESTS = """
CREATE FUNCTION release_contests() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    waiting record;
BEGIN
    FOR waiting IN
        SELECT DISTINCT k.cycle_id, k.contest FROM contest_poll k
        JOIN poll p ON p.id = k.poll_id WHERE p.state = 'counted' ORDER BY 1, 2
    LOOP
        PERFORM release_contest(waiting.cycle_id, waiting.contest);
    END LOOP;
END $$
"""

# Publication is no decision of a program: the accounting, which the database computes, decides; and
# in a contest the last of its sources.
FINISH_COUNTING = """
CREATE OR REPLACE FUNCTION finish_counting(p_poll_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    holds boolean := accounting_agrees(p_poll_id);
    of_contest contest_poll;
BEGIN
    IF holds IS NULL THEN
        RAISE EXCEPTION 'the poll has no result yet';
    END IF;
    SELECT * INTO of_contest FROM contest_poll WHERE poll_id = p_poll_id;
    IF of_contest.poll_id IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(contest_lock(of_contest.cycle_id, of_contest.contest));
    END IF;
    UPDATE poll SET state = 'counted', counted_at = clock_timestamp()
        WHERE id = p_poll_id AND state = 'closed';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the poll is not closed';
    END IF;
    IF of_contest.poll_id IS NOT NULL THEN
        PERFORM release_contest(of_contest.cycle_id, of_contest.contest);
    ELSIF holds THEN
        UPDATE poll SET state = 'published', published_at = counted_at WHERE id = p_poll_id;
    END IF;
    RETURN (SELECT state = 'published' FROM poll WHERE id = p_poll_id);
END $$
"""
FINISH_COUNTING_BEFORE = f"""
CREATE OR REPLACE FUNCTION finish_counting(p_poll_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    holds boolean;
    counting_time timestamptz := clock_timestamp();
BEGIN
    SELECT {HOLDS}
        INTO holds FROM result WHERE poll_id = p_poll_id;
    IF holds IS NULL THEN
        RAISE EXCEPTION 'the poll has no result yet';
    END IF;
    UPDATE poll SET state = 'counted', counted_at = counting_time
        WHERE id = p_poll_id AND state = 'closed';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the poll is not closed';
    END IF;
    IF holds THEN
        UPDATE poll SET state = 'published', published_at = counting_time WHERE id = p_poll_id;
    END IF;
    RETURN holds;
END $$
"""

# The function of 0008, which knew no contests: of one, nothing is published before its last source
# is counted, and then all of it.
PUBLISH_POLL = """
CREATE OR REPLACE FUNCTION publish_poll(p_poll_id uuid, p_approval_id uuid, p_by uuid)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    state_now text;
    publishing_time timestamptz;
    {declared}
BEGIN
    {waits}SELECT state INTO state_now FROM poll WHERE id = p_poll_id FOR UPDATE;
    publishing_time := clock_timestamp();
    IF state_now IS DISTINCT FROM 'counted' THEN
        RETURN false;
    END IF;
    {held}PERFORM grant_approval(p_approval_id, 'poll:publish', p_poll_id, p_by);
    UPDATE poll SET state = 'published', published_at = publishing_time WHERE id = p_poll_id;
    PERFORM write_notice(p_poll_id, 'publication', publishing_time, jsonb_build_object('accounting',
        (SELECT to_jsonb(a) - 'poll_id' FROM accounting a WHERE poll_id = p_poll_id)));
    {releases}RETURN true;
END $$
"""
ALONE = dict.fromkeys(("declared", "waits", "held", "releases"), "")
IN_ITS_CONTEST = {
    "declared": "of_contest contest_poll;",
    "waits": """SELECT * INTO of_contest FROM contest_poll WHERE poll_id = p_poll_id;
    IF of_contest.poll_id IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(contest_lock(of_contest.cycle_id, of_contest.contest));
    END IF;
    """,
    "held": """IF contest_unfinished(of_contest.cycle_id, of_contest.contest) THEN
        RETURN false;
    END IF;
    """,
    "releases": """IF of_contest.poll_id IS NOT NULL THEN
        PERFORM release_contest(of_contest.cycle_id, of_contest.contest);
    END IF;
    """,
}

# A poll of a contest ends within the phase; to go beyond, the phase is moved, and the poll with it.
CONTEST_PERIOD_GUARD = """
CREATE FUNCTION contest_period_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
            SELECT 1 FROM contest_poll k JOIN cycle_phase phase USING (cycle_id)
            WHERE k.poll_id = NEW.id AND phase.kind = 'balloting'
                AND NEW.closes_at > phase.closes_at) THEN
        RAISE EXCEPTION 'a poll of a contest ends within the phase of balloting'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'contest_poll_within_balloting';
    END IF;
    RETURN NEW;
END $$
"""

# Polls that are frozen follow a plan that was moved: later ends extend them, in the public log of
# each; anything else would contradict what was frozen.
MOVE_POLLS_OF_CYCLE = """
CREATE FUNCTION move_polls_of_cycle(
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
    FOR asked IN
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
        UPDATE tombstone SET until = new_end WHERE until < new_end;
        UPDATE approval SET lapsed_at = p_moving_time
            WHERE subject_id = asked.poll_id AND act IN ('poll:close', 'poll:extend')
                AND granted_by IS NULL AND lapsed_at IS NULL;
        PERFORM write_notice(asked.poll_id, 'extension', p_moving_time, jsonb_build_object(
            'closes_at', instant(new_end), 'closes_at_before', instant(now_open.closes_at),
            'text', p_text));
    END LOOP;
END $$
"""
PERIOD_OF_SOURCE = """
CREATE FUNCTION period_of_source(p_definition jsonb, p_contest text, p_source text) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT jsonb_build_object(
        'opens_at', coalesce(source ->> 'opens_at', phase ->> 'opens_at'),
        'closes_at', coalesce(source ->> 'closes_at', phase ->> 'closes_at'))
    FROM jsonb_array_elements(p_definition -> 'contests') AS contest
    CROSS JOIN LATERAL jsonb_array_elements(contest -> 'sources') AS source
    LEFT JOIN LATERAL (
        SELECT each FROM jsonb_array_elements(p_definition -> 'phases') AS each
        WHERE each ->> 'kind' = 'balloting'
    ) balloting (phase) ON true
    WHERE contest ->> 'key' = p_contest AND source ->> 'key' = p_source
$$
"""

# The function of 0014, and that the polls follow.
MOVE_CYCLE = """
CREATE OR REPLACE FUNCTION move_cycle(p_cycle_id uuid, p_approval_id uuid, p_by uuid)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    planned cycle;
    moving_time timestamptz;
    approved jsonb;
    moved jsonb;
    place text[];
    pointer text;
    wanted text;
    changes jsonb := '[]';
BEGIN
    SELECT * INTO planned FROM cycle WHERE id = p_cycle_id FOR UPDATE;
    moving_time := clock_timestamp();
    IF (planned.state = 'running') IS NOT TRUE THEN
        RETURN false;
    END IF;
    approved := grant_approval(p_approval_id, 'cycle:move', p_cycle_id, p_by);
    moved := planned.definition;
    FOR pointer, wanted IN
        SELECT key, value FROM jsonb_each_text(approved -> 'dates') ORDER BY key COLLATE "C"
    LOOP
        IF wanted = 'now' THEN
            wanted := instant(moving_time);
        END IF;
        place := string_to_array(substr(pointer, 2), '/');
        IF pointer !~ '^/(phases/[0-9]+|contests/[0-9]+/sources/[0-9]+)/(opens|closes)_at$'
            OR moved #> place[1:array_length(place, 1) - 1] IS NULL
            OR (moved #>> place)::timestamptz <= moving_time
            OR wanted::timestamptz < moving_time THEN
            RAISE EXCEPTION 'only dates that lie ahead move, and only to where they lie ahead'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'cycle_dates_lie_ahead';
        END IF;
        changes := changes || jsonb_build_object(
            'pointer', pointer, 'before', moved #>> place, 'after', wanted);
        moved := jsonb_set(moved, place, to_jsonb(wanted));
    END LOOP;
    UPDATE cycle SET definition = moved, version = version + 1 WHERE id = p_cycle_id;
    {polls}PERFORM write_cycle_notice(p_cycle_id, 'dates', moving_time,
        jsonb_build_object('changes', changes, 'text', approved -> 'text'));
    RETURN true;
END $$
"""
WITH_POLLS = """PERFORM move_polls_of_cycle(
        p_cycle_id, planned.definition, moved, moving_time, approved -> 'text');
    """

FUNCTIONS = {
    "accounting_agrees(uuid)": ACCOUNTING_AGREES,
    "contest_lock(uuid, text)": CONTEST_LOCK,
    "period_of_source(jsonb, text, text)": PERIOD_OF_SOURCE,
    "contest_unfinished(uuid, text)": CONTEST_UNFINISHED,
    "release_contest(uuid, text)": RELEASE_CONTEST,
    "move_polls_of_cycle(uuid, jsonb, jsonb, timestamptz, jsonb)": MOVE_POLLS_OF_CYCLE,
    "release_contests()": RELEASE_CONTESTS,
}
TRIGGERS = (
    ("contest_poll_guard", "BEFORE INSERT ON contest_poll", "contest_poll_guard"),
    ("insert_only", "BEFORE UPDATE OR DELETE ON contest_poll", "insert_only"),
    ("roll_guard", "BEFORE INSERT ON roll_entry", "roll_guard"),
    ("insert_only", "BEFORE UPDATE OR DELETE ON roll_entry", "insert_only"),
)
PERIOD_TRIGGER = """
CREATE TRIGGER contest_period_guard BEFORE UPDATE OF closes_at ON poll FOR EACH ROW
    WHEN (OLD.state = 'open' AND NEW.closes_at IS DISTINCT FROM OLD.closes_at)
    EXECUTE FUNCTION contest_period_guard()
"""
GRANTS = (
    "SELECT, INSERT ON contest_poll, roll_entry TO mvote_api",
    "EXECUTE ON FUNCTION contest_unfinished(uuid, text) TO mvote_api",
    "EXECUTE ON FUNCTION release_contests() TO mvote_counter",
)


def upgrade() -> None:
    _create_tables()
    for guard in (CONTEST_POLL_GUARD, ROLL_GUARD, CONTEST_PERIOD_GUARD):
        _run(guard)
    for name, events, function in TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} {events} FOR EACH ROW EXECUTE FUNCTION {function}()")
    _run(PERIOD_TRIGGER)
    for signature, body in FUNCTIONS.items():
        _run(body)
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    _run(ACCOUNTING.format(held=HELD))
    _run(FINISH_COUNTING)
    _run(PUBLISH_POLL.format(**IN_ITS_CONTEST))
    _run(MOVE_CYCLE.replace("{polls}", WITH_POLLS))
    for grant in GRANTS:
        op.execute(f"GRANT {grant}")


def _run(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", "\\:")))


def _create_tables() -> None:
    op.create_table(
        "contest_poll",
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("contest", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("cycle_id", "contest", "source", "n", name="pk_contest_poll"),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name="fk_contest_poll_cycle_id"),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name="fk_contest_poll_poll_id"),
        sa.UniqueConstraint("poll_id", name="uq_contest_poll_poll_id"),
        sa.CheckConstraint("n >= 1", name=op.f("ck_contest_poll_numbered")),
    )
    op.create_table(
        "roll_entry",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("anchor", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", "anchor", name="pk_roll_entry"),
        sa.CheckConstraint("octet_length(anchor) = 32", name=op.f("ck_roll_entry_anchor_whole")),
    )


def downgrade() -> None:
    _run(MOVE_CYCLE.replace("{polls}", ""))
    _run(PUBLISH_POLL.format(**ALONE))
    _run(FINISH_COUNTING_BEFORE)
    _run(ACCOUNTING.format(held=""))
    op.execute("DROP TRIGGER contest_period_guard ON poll")
    for signature in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
    op.drop_table("roll_entry")
    op.drop_table("contest_poll")
    for guard in ("contest_period_guard", "roll_guard", "contest_poll_guard"):
        op.execute(f"DROP FUNCTION {guard}()")
