"""Deciding a contest: sealed statements, lots, the plenary's motions, the council's amounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from mvote.base import UtcDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

VERDICTS = "'funded', 'reserve', 'not_funded'"

# A motion is voted on, then judged or withdrawn, once. What it counts are votes that were cast.
MOTION_GUARD = """
CREATE FUNCTION motion_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'a motion begins open' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.state <> 'open'
        OR (OLD.id, OLD.cycle_id, OLD.contest, OLD.allocation_n, OLD.committee_id, OLD.changes,
            OLD.laid_by, OLD.laid_at) IS DISTINCT FROM
           (NEW.id, NEW.cycle_id, NEW.contest, NEW.allocation_n, NEW.committee_id, NEW.changes,
            NEW.laid_by, NEW.laid_at) THEN
        RAISE EXCEPTION 'a motion is judged once, as it was laid'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'motion_is_open';
    END IF;
    IF EXISTS (
        SELECT 1 FROM (VALUES ('yes', NEW.yes), ('no', NEW.no), ('abstain', NEW.abstain))
            AS counted (vote, seats)
        WHERE seats > (SELECT count(*) FROM motion_vote v
            WHERE v.motion_id = NEW.id AND v.vote = counted.vote)
    ) THEN
        RAISE EXCEPTION 'only votes that were cast are counted'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# The motion's row is held, so that no vote comes in while it is being judged.
MOTION_VOTE_GUARD = """
CREATE FUNCTION motion_vote_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    voted_on motion;
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND (OLD.motion_id, OLD.seat_id)
            IS DISTINCT FROM (NEW.motion_id, NEW.seat_id) THEN
        RAISE EXCEPTION 'a recorded vote stays with its seat' USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT * INTO voted_on FROM motion WHERE id = NEW.motion_id FOR SHARE;
    IF voted_on.state IS DISTINCT FROM 'open' THEN
        RAISE EXCEPTION 'the motion is not open'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'motion_is_open';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM seat WHERE id = NEW.seat_id AND has_vote AND state = 'filled'
            AND committee_id = voted_on.committee_id) THEN
        RAISE EXCEPTION 'only filled seats of the body vote' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

PROJECT_DECISION_GUARD = """
CREATE FUNCTION project_decision_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM motion m JOIN proposal p ON p.cycle_id = m.cycle_id
        WHERE m.id = NEW.motion_id AND m.state = 'carried' AND p.id = NEW.proposal_id
    ) THEN
        RAISE EXCEPTION 'a carried motion of its cycle decides on a project'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

RESERVE_MOVE_GUARD = """
CREATE FUNCTION reserve_move_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM enactment e
            JOIN proposal dropped ON dropped.id = e.proposal_id
            JOIN proposal moved ON moved.cycle_id = dropped.cycle_id
        WHERE e.proposal_id = NEW.freed_by AND e.state = 'dropped'
            AND moved.id = NEW.proposal_id AND moved.state = 'reserve'
    ) THEN
        RAISE EXCEPTION 'a reserve moves up when a project of its cycle is dropped'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# What the states of decided projects rest on. It stands beside `proposal_guard`, which knows the
# pairs of states.
PROPOSAL_DECIDED_GUARD = """
CREATE FUNCTION proposal_decided_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    rests boolean := true;
BEGIN
    IF OLD.state = 'on_ballot' AND NEW.state IN ('funded', 'reserve', 'not_funded') THEN
        rests := EXISTS (SELECT 1 FROM project_decision
            WHERE proposal_id = NEW.id AND decision = NEW.state);
    ELSIF OLD.state = 'reserve' AND NEW.state = 'funded' THEN
        rests := EXISTS (SELECT 1 FROM reserve_move WHERE proposal_id = NEW.id);
    ELSIF NEW.state IN ('enacted', 'reduced', 'dropped') THEN
        rests := EXISTS (SELECT 1 FROM enactment
            WHERE proposal_id = NEW.id AND state = NEW.state);
    END IF;
    IF NOT rests THEN
        RAISE EXCEPTION 'a project goes from % to % where that was decided', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# The cycle's row, because its notices are numbered; then the project, its state, the grant, the
# amount, the notice: all or nothing. False where the state does not allow it.
ENACT_PROJECT = """
CREATE FUNCTION enact_project(p_proposal_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    project proposal;
    approved jsonb;
    before bigint;
    given bigint;
    became text;
    enacting_time timestamptz;
BEGIN
    PERFORM 1 FROM cycle WHERE id = (SELECT cycle_id FROM proposal WHERE id = p_proposal_id)
        FOR UPDATE;
    SELECT * INTO project FROM proposal WHERE id = p_proposal_id FOR UPDATE;
    IF project.state IS DISTINCT FROM 'funded' THEN
        RETURN false;
    END IF;
    enacting_time := clock_timestamp();
    approved := grant_approval(p_approval_id, 'proposal:enact', p_proposal_id, p_by);
    before := coalesce((SELECT amount FROM reserve_move WHERE proposal_id = p_proposal_id),
        (SELECT amount FROM project_decision WHERE proposal_id = p_proposal_id));
    given := (approved ->> 'amount')::bigint;
    became := CASE given WHEN 0 THEN 'dropped' WHEN before THEN 'enacted' ELSE 'reduced' END;
    INSERT INTO enactment (proposal_id, state, amount, funded_amount, text, at)
        VALUES (p_proposal_id, became, given, before, approved -> 'text', enacting_time);
    UPDATE proposal SET state = became, state_since = enacting_time, due_at = NULL,
        version = version + 1 WHERE id = p_proposal_id;
    PERFORM write_cycle_notice(project.cycle_id, became, enacting_time, jsonb_build_object(
        'reference', project.reference, 'amount', given, 'amount_before', before,
        'text', approved -> 'text'));
    RETURN true;
END $$
"""
# The lot of each contest is drawn when the cycle starts, long before anybody votes.
DRAW_LOTS = """
CREATE FUNCTION draw_lots(p_cycle_id uuid) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO cycle_lot (cycle_id, contest, commitment, secret)
    SELECT p_cycle_id, drawn.contest, sha256(drawn.secret), drawn.secret
    FROM (
        SELECT contest ->> 'key' AS contest, sha256(uuid_send(gen_random_uuid())
            || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) AS secret
        FROM cycle, jsonb_array_elements(definition -> 'contests') contest
        WHERE id = p_cycle_id
    ) drawn
$$
"""
CYCLE_LOTS = """
CREATE FUNCTION cycle_lots() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.state = 'running' AND OLD.state <> 'running' THEN
        PERFORM draw_lots(NEW.id);
    END IF;
    RETURN NULL;
END $$
"""

# Until a poll opens. Polls are opened behind the cycle's row, which `seal_statement` holds.
MAY_SEAL = """
CREATE FUNCTION may_seal(p_cycle_id uuid, p_contest text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT NOT EXISTS (
        SELECT 1 FROM contest_poll c JOIN poll p ON p.id = c.poll_id
        WHERE c.cycle_id = p_cycle_id AND c.contest = p_contest
            AND p.state NOT IN ('draft', 'cancelled') AND p.opens_at <= clock_timestamp())
$$
"""

# What is sealed is what two officers have asked for, by its hash.
SEAL_STATEMENT = """
CREATE FUNCTION seal_statement(
    p_cycle_id uuid, p_contest text, p_source text, p_content bytea, p_approval_id uuid, p_by uuid
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    sealing_time timestamptz;
    approved jsonb;
    place integer;
BEGIN
    PERFORM 1 FROM cycle WHERE id = p_cycle_id AND state = 'running' FOR UPDATE;
    sealing_time := clock_timestamp();
    IF NOT FOUND OR NOT may_seal(p_cycle_id, p_contest) THEN
        RAISE EXCEPTION 'a statement is sealed before the first poll opens'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'statement_before_first_poll';
    END IF;
    approved := grant_approval(p_approval_id, 'statement:seal', p_cycle_id, p_by);
    place := (SELECT count(*) FROM source_statement
        WHERE cycle_id = p_cycle_id AND contest = p_contest AND source = p_source);
    IF approved IS DISTINCT FROM jsonb_build_object('contest', p_contest, 'source', p_source,
            'n', place, 'sha256', encode(sha256(p_content), 'hex')) THEN
        RAISE EXCEPTION 'another statement was asked for' USING ERRCODE = 'restrict_violation';
    END IF;
    INSERT INTO source_statement (cycle_id, contest, source, n, sha256, content, sealed_at)
        VALUES (p_cycle_id, p_contest, p_source, place, sha256(p_content), p_content,
            sealing_time);
    PERFORM write_cycle_notice(p_cycle_id, 'statement', sealing_time, approved);
END $$
"""

# A polled source is waited for until it is published, or, if there is nothing to publish, until
# balloting is over. Where nothing at all was published, nothing is released.
UNRELEASED_SOURCES = """
CREATE FUNCTION unreleased_sources(p_cycle_id uuid, p_contest text) RETURNS SETOF text
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH polled AS (
        SELECT source ->> 'key' AS key, place
        FROM cycle, jsonb_array_elements(definition -> 'contests') contest,
            jsonb_array_elements(contest -> 'sources') WITH ORDINALITY AS sources (source, place)
        WHERE id = p_cycle_id AND contest ->> 'key' = p_contest
            AND coalesce(source ->> 'kind', 'poll') = 'poll'
    ), asked AS (
        SELECT DISTINCT ON (c.source) c.source, p.state
        FROM contest_poll c JOIN poll p ON p.id = c.poll_id
        WHERE c.cycle_id = p_cycle_id AND c.contest = p_contest ORDER BY c.source, c.n DESC
    ), balloting AS (
        SELECT coalesce(bool_and(closes_at <= clock_timestamp()), true) AS is_over
        FROM cycle_phase WHERE cycle_id = p_cycle_id AND kind = 'balloting'
    )
    SELECT key FROM polled LEFT JOIN asked ON source = key, balloting
    WHERE CASE coalesce(state, 'voided')
        WHEN 'published' THEN false
        WHEN 'voided' THEN NOT is_over OR NOT EXISTS (SELECT 1 FROM asked WHERE state = 'published')
        WHEN 'cancelled' THEN NOT is_over
            OR NOT EXISTS (SELECT 1 FROM asked WHERE state = 'published')
        ELSE true
    END
    ORDER BY place
$$
"""
RELEASED_STATEMENTS = """
CREATE FUNCTION released_statements(p_cycle_id uuid, p_contest text, p_source text)
RETURNS TABLE (n integer, content bytea)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.n, s.content FROM source_statement s
    WHERE s.cycle_id = p_cycle_id AND s.contest = p_contest AND s.source = p_source
        AND NOT EXISTS (SELECT unreleased_sources(p_cycle_id, p_contest))
$$
"""
REVEALED_LOT = """
CREATE FUNCTION revealed_lot(p_cycle_id uuid, p_contest text) RETURNS bytea
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT secret FROM cycle_lot WHERE cycle_id = p_cycle_id AND contest = p_contest
        AND NOT EXISTS (SELECT unreleased_sources(p_cycle_id, p_contest))
$$
"""
ENACT = "enact_project(uuid, uuid, uuid)"
FUNCTIONS = {
    ENACT: ENACT_PROJECT,
    "draw_lots(uuid)": DRAW_LOTS,
    "may_seal(uuid, text)": MAY_SEAL,
    "unreleased_sources(uuid, text)": UNRELEASED_SOURCES,
    "seal_statement(uuid, text, text, bytea, uuid, uuid)": SEAL_STATEMENT,
    "released_statements(uuid, text, text)": RELEASED_STATEMENTS,
    "revealed_lot(uuid, text)": REVEALED_LOT,
}
HIDDEN = {"draw_lots(uuid)"}
GUARDS = {
    "motion_guard": (MOTION_GUARD, "motion", "INSERT OR UPDATE OR DELETE"),
    "motion_vote_guard": (MOTION_VOTE_GUARD, "motion_vote", "INSERT OR UPDATE OR DELETE"),
    "project_decision_guard": (PROJECT_DECISION_GUARD, "project_decision", "INSERT"),
    "reserve_move_guard": (RESERVE_MOVE_GUARD, "reserve_move", "INSERT"),
    "proposal_decided_guard": (PROPOSAL_DECIDED_GUARD, "proposal", "UPDATE OF state"),
}
INSERT_ONLY = ("project_decision", "enactment", "reserve_move", "cycle_lot", "source_statement")
TABLES = ("motion", "motion_vote", *INSERT_ONLY)
GRANTS = (
    "SELECT, INSERT, UPDATE (state, judged_by, judged_at, entitled, yes, no, abstain) ON motion",
    "SELECT, INSERT, UPDATE (vote, at) ON motion_vote",
    "SELECT, INSERT ON project_decision",
    "SELECT ON enactment",
    "SELECT, INSERT ON reserve_move",
    "SELECT (cycle_id, contest, commitment) ON cycle_lot",
    "SELECT (cycle_id, contest, source, n, sha256, sealed_at) ON source_statement",
    *(f"EXECUTE ON FUNCTION {signature}" for signature in FUNCTIONS if signature not in HIDDEN),
)


def upgrade() -> None:
    _number_allocations()
    _create_motion()
    _create_decisions()
    _create_sources()
    for name, (body, table, events) in GUARDS.items():
        _put(body)
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {events} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION insert_only()"
        )
    for signature, body in FUNCTIONS.items():
        _put(body)
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    _draw_lots_from_now_on()
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO mvote_api")


def downgrade() -> None:
    for signature in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
    op.execute("DROP TRIGGER proposal_decided_guard ON proposal")
    op.execute("DROP TRIGGER cycle_lots ON cycle")
    op.execute("DROP FUNCTION cycle_lots()")
    for table in reversed(TABLES):
        op.drop_table(table)
    for name in GUARDS:
        op.execute(f"DROP FUNCTION {name}()")
    op.execute("ALTER TABLE cycle_allocation DISABLE TRIGGER insert_only")
    op.execute("DELETE FROM cycle_allocation WHERE n > 0")
    op.execute("ALTER TABLE cycle_allocation ENABLE TRIGGER insert_only")
    op.drop_constraint("pk_cycle_allocation", "cycle_allocation")
    op.drop_column("cycle_allocation", "n")
    op.create_primary_key("pk_cycle_allocation", "cycle_allocation", ["cycle_id", "contest"])


def _put(body: str) -> None:
    op.execute(sa.text(body.replace(":", "\\:")))


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _draw_lots_from_now_on() -> None:
    """At the start of each cycle; for those that run already, now."""
    _put(CYCLE_LOTS)
    op.execute("REVOKE ALL ON FUNCTION cycle_lots() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER cycle_lots AFTER UPDATE OF state ON cycle"
        " FOR EACH ROW EXECUTE FUNCTION cycle_lots()"
    )
    op.execute("SELECT draw_lots(id) FROM cycle WHERE state = 'running'")


def _create_sources() -> None:
    table = "cycle_lot"
    op.create_table(
        table,
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("contest", sa.String(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("cycle_id", "contest", name=f"pk_{table}"),
        _refers(table, "cycle_id", "cycle.id"),
        _check(table, "commitment_whole", "octet_length(commitment) = 32"),
        _check(table, "secret_whole", "octet_length(secret) = 32"),
    )
    table = "source_statement"
    op.create_table(
        table,
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("contest", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("cycle_id", "contest", "source", "n", name=f"pk_{table}"),
        _refers(table, "cycle_id", "cycle.id"),
        _check(table, "numbered", "n >= 0"),
        _check(table, "sha256_whole", "octet_length(sha256) = 32"),
    )


def _number_allocations() -> None:
    """A contest is allocated anew where a project was struck since: each has its number."""
    table = "cycle_allocation"
    op.add_column(table, sa.Column("n", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column(table, "n", server_default=None)
    op.drop_constraint("pk_cycle_allocation", table)
    op.create_primary_key("pk_cycle_allocation", table, ["cycle_id", "contest", "n"])
    op.create_check_constraint(op.f(f"ck_{table}_numbered"), table, "n >= 0")


def _create_motion() -> None:
    table = "motion"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("contest", sa.String(), nullable=False),
        sa.Column("allocation_n", sa.Integer(), nullable=False),
        sa.Column("committee_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changes", JSONB(), nullable=False),
        sa.Column("laid_by", sa.Uuid(), nullable=False),
        sa.Column("laid_at", UtcDateTime(), nullable=False),
        sa.Column("judged_by", sa.Uuid()),
        sa.Column("judged_at", UtcDateTime()),
        *(sa.Column(name, sa.Integer()) for name in ("entitled", "yes", "no", "abstain")),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["cycle_id", "contest", "allocation_n"],
            ["cycle_allocation.cycle_id", "cycle_allocation.contest", "cycle_allocation.n"],
            name=f"fk_{table}_cycle_id_contest_allocation_n",
        ),
        _refers(table, "committee_id", "committee.id"),
        *(_check(table, name, condition) for name, condition in _RULES_OF_MOTIONS.items()),
    )
    for state in ("open", "carried"):
        op.create_index(
            f"uq_motion_{state}",
            table,
            ["cycle_id", "contest"],
            unique=True,
            postgresql_where=sa.text(f"state = '{state}'"),
        )
    table = "motion_vote"
    op.create_table(
        table,
        sa.Column("motion_id", sa.Uuid(), nullable=False),
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("vote", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("motion_id", "seat_id", name=f"pk_{table}"),
        _refers(table, "motion_id", "motion.id"),
        _refers(table, "seat_id", "seat.id"),
        _check(table, "vote_known", "vote IN ('yes', 'no', 'abstain')"),
    )


_JUDGED = "num_nonnulls(judged_by, judged_at, entitled, yes, no, abstain)"
_RULES_OF_MOTIONS = {
    "state_known": "state IN ('open', 'carried', 'lost', 'withdrawn')",
    "judged_whole": f"(state IN ('carried', 'lost')) = ({_JUDGED} = 6)",
    "open_is_not_judged": f"state <> 'open' OR {_JUDGED} = 0",
    "counted_among_entitled": "yes >= 0 AND no >= 0 AND abstain >= 0"
    " AND yes + no + abstain <= entitled",
    "carried_by_somebody": "state <> 'carried' OR yes > 0",
}


def _create_decisions() -> None:
    table = "project_decision"
    op.create_table(
        table,
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("motion_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("deviates", sa.Boolean(), nullable=False),
        sa.Column("text", JSONB()),
        sa.PrimaryKeyConstraint("proposal_id", name=f"pk_{table}"),
        _refers(table, "proposal_id", "proposal.id"),
        _refers(table, "motion_id", "motion.id"),
        _check(table, "decision_known", f"decision IN ({VERDICTS})"),
        _check(table, "funded_with_amount", "(decision = 'funded') = (amount > 0)"),
        _check(table, "amount_counts", "amount >= 0"),
        _check(table, "deviation_has_reason", "NOT deviates OR text IS NOT NULL"),
    )
    op.create_index(f"ix_{table}_motion_id", table, ["motion_id"])
    table = "enactment"
    op.create_table(
        table,
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("funded_amount", sa.BigInteger(), nullable=False),
        sa.Column("text", JSONB()),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", name=f"pk_{table}"),
        _refers(table, "proposal_id", "proposal.id"),
        _check(table, "state_known", "state IN ('enacted', 'reduced', 'dropped')"),
        _check(table, "amount_within_funded", "amount >= 0 AND amount <= funded_amount"),
        _check(
            table,
            "state_is_by_amount",
            "(state = 'dropped') = (amount = 0) AND (state = 'enacted') = (amount = funded_amount)",
        ),
        _check(table, "less_has_reason", "state = 'enacted' OR text IS NOT NULL"),
    )
    table = "reserve_move"
    op.create_table(
        table,
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("freed_by", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", name=f"pk_{table}"),
        _refers(table, "proposal_id", "proposal.id"),
        _refers(table, "freed_by", "enactment.proposal_id"),
        _check(table, "amount_counts", "amount > 0"),
        _check(table, "freed_by_another", "freed_by <> proposal_id"),
    )
    op.create_index(f"ix_{table}_freed_by", table, ["freed_by"])
