"""A contest is released as one, also against its accounting; and no more vote than are on a roll.

Two officers who publish a count that does not add up decide on that one. While another count of the
contest waits for its own decision, nothing is shown of either: who knew the first result could have
the second voided, and asked once more. What is asked of a source once any other is public is
refused by the database, whatever the plan says.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# The guard of 0020, and that nobody votes with a result of the same contest before their eyes.
CONTEST_POLL_GUARD = """
CREATE OR REPLACE FUNCTION contest_poll_guard() RETURNS trigger LANGUAGE plpgsql
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
    END IF;{released}
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
# Whoever releases holds the lock until it is committed, so nobody begins to ask beside it.
UNLESS_RELEASED = """
    PERFORM pg_advisory_xact_lock(contest_lock(NEW.cycle_id, NEW.contest));
    IF EXISTS (SELECT 1 FROM contest_poll k JOIN poll p ON p.id = k.poll_id
            WHERE k.cycle_id = NEW.cycle_id AND k.contest = NEW.contest
                AND p.state = 'published') THEN
        RAISE EXCEPTION 'nobody is asked any more where a result of the contest is public'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'contest_released';
    END IF;"""

# What two officers have decided to publish, though it does not add up.
DECIDED = """
CREATE FUNCTION publication_granted(p_poll_id uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM approval
        WHERE subject_id = p_poll_id AND act = 'poll:publish' AND granted_by IS NOT NULL)
$$
"""
RELEASE_CONTEST = """
CREATE OR REPLACE FUNCTION release_contest(p_cycle_id uuid, p_contest text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    release_time timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(contest_lock(p_cycle_id, p_contest));
    release_time := clock_timestamp();
    IF contest_unfinished(p_cycle_id, p_contest)
        OR EXISTS (SELECT 1 FROM contest_poll k JOIN poll p ON p.id = k.poll_id
            WHERE k.cycle_id = p_cycle_id AND k.contest = p_contest AND p.state = 'counted'
                AND accounting_agrees(p.id) IS NOT TRUE{decided}) THEN
        RETURN;
    END IF;
    UPDATE poll SET state = 'published', published_at = release_time
        WHERE state = 'counted' AND id IN (SELECT poll_id FROM contest_poll
            WHERE cycle_id = p_cycle_id AND contest = p_contest);
END $$
"""
OR_DECIDED = " AND NOT publication_granted(p.id)"

# Of a contest the decision alone; what follows from it is for all sources together.
PUBLISH_POLL = """
CREATE OR REPLACE FUNCTION publish_poll(p_poll_id uuid, p_approval_id uuid, p_by uuid)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    state_now text;
    publishing_time timestamptz;
    of_contest contest_poll;
BEGIN
    SELECT * INTO of_contest FROM contest_poll WHERE poll_id = p_poll_id;
    IF of_contest.poll_id IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(contest_lock(of_contest.cycle_id, of_contest.contest));
    END IF;
    SELECT state INTO state_now FROM poll WHERE id = p_poll_id FOR UPDATE;
    publishing_time := clock_timestamp();
    IF state_now IS DISTINCT FROM 'counted'{refused} THEN
        RETURN false;
    END IF;
    IF contest_unfinished(of_contest.cycle_id, of_contest.contest) THEN
        RETURN false;
    END IF;
    PERFORM grant_approval(p_approval_id, 'poll:publish', p_poll_id, p_by);
    {publishes}PERFORM write_notice(p_poll_id, 'publication', publishing_time,
        jsonb_build_object('accounting',
            (SELECT to_jsonb(a) - 'poll_id' FROM accounting a WHERE poll_id = p_poll_id)));
    IF of_contest.poll_id IS NOT NULL THEN
        PERFORM release_contest(of_contest.cycle_id, of_contest.contest);
    END IF;
    RETURN true;
END $$
"""
AT_ONCE = """UPDATE poll SET state = 'published', published_at = publishing_time
        WHERE id = p_poll_id{alone};
    """

# As the frozen definition says it; only where a roll is asked, for definitions may be long.
ROLL = """CASE WHEN (p.content #>> '{eligibility,roll}')::boolean THEN
        (SELECT (convert_from(d.canonical, 'UTF8')::jsonb #>> '{roll,size}')::integer
            FROM poll_definition d WHERE d.poll_id = p.id) END"""
WITHIN = f"\n        AND coalesce(r.participations <= {ROLL}, true)"
HELD = """
    AND (p.state = 'published' OR NOT EXISTS (
        SELECT 1 FROM contest_poll k
        WHERE k.poll_id = r.poll_id AND contest_unfinished(k.cycle_id, k.contest)))
"""
ACCOUNTING = f"""
VIEW accounting WITH (security_barrier) AS
SELECT r.poll_id, r.participations, r.entries, r.records, r.quarantined, r.unopenable,
    r.accounting_holds AND r.recounted IS NOT FALSE AND r.log_agrees IS NOT FALSE{{within_roll}}
        AS accounting_holds,
    r.recounted, r.log_agrees{{roll}}
FROM result r JOIN poll p ON p.id = r.poll_id
WHERE p.state IN ('counted', 'published', 'voided') {HELD}
"""
WIDTH = "(4 + 2 * (256 * get_byte(vectors, 2) + get_byte(vectors, 3)))"
ACCOUNTING_AGREES = f"""
CREATE OR REPLACE FUNCTION accounting_agrees(p_poll_id uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT accounting_holds AND recounted IS NOT FALSE AND log_agrees IS NOT FALSE
            AND participations = participation_count(p_poll_id)
            AND quarantined = quarantined_count(p_poll_id)
            AND records = (SELECT coalesce(sum(length(vectors) / {WIDTH}), 0)
                FROM record WHERE poll_id = p_poll_id){{within_roll}}
        FROM result r JOIN poll p ON p.id = r.poll_id WHERE r.poll_id = p_poll_id
$$
"""


def upgrade() -> None:
    _run(DECIDED)
    op.execute("REVOKE ALL ON FUNCTION publication_granted(uuid) FROM PUBLIC")
    _run(CONTEST_POLL_GUARD.format(released=UNLESS_RELEASED))
    op.execute("GRANT EXECUTE ON FUNCTION contest_lock(uuid, text) TO mvote_api")
    _run(RELEASE_CONTEST.format(decided=OR_DECIDED))
    alone = AT_ONCE.format(alone=" AND of_contest.poll_id IS NULL")
    _run(PUBLISH_POLL.format(refused=" OR publication_granted(p_poll_id)", publishes=alone))
    _run(
        "CREATE OR REPLACE " + ACCOUNTING.format(within_roll=WITHIN, roll=f",\n    {ROLL} AS roll")
    )
    _run(ACCOUNTING_AGREES.format(within_roll=WITHIN))


def downgrade() -> None:
    _run(ACCOUNTING_AGREES.format(within_roll=""))
    op.execute("DROP VIEW accounting")
    _run("CREATE " + ACCOUNTING.format(within_roll="", roll=""))
    op.execute("GRANT SELECT ON accounting TO mvote_api")
    _run(PUBLISH_POLL.format(refused="", publishes=AT_ONCE.format(alone="")))
    _run(RELEASE_CONTEST.format(decided=""))
    op.execute("REVOKE EXECUTE ON FUNCTION contest_lock(uuid, text) FROM mvote_api")
    _run(CONTEST_POLL_GUARD.format(released=""))
    op.execute("DROP FUNCTION publication_granted(uuid)")


def _run(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", "\\:")))
