"""The cycles of the participatory budget: their rules as data, their phases, their notices."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from mvote.base import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KINDS = "'proposing', 'assessing', 'reviewing', 'balloting', 'deciding', 'delivering'"

# A draft is its department's. What runs is frozen: only `move_cycle`, which runs as the owner,
# writes other dates into it.
CYCLE_GUARD = """
CREATE FUNCTION cycle_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    by_two_officers boolean :=
        current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID);
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR NEW.started_at IS NOT NULL THEN
            RAISE EXCEPTION 'a cycle begins as a draft' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a cycle is never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (OLD.id, OLD.author_id, OLD.department_id, OLD.time_zone, OLD.created_at)
        IS DISTINCT FROM
        (NEW.id, NEW.author_id, NEW.department_id, NEW.time_zone, NEW.created_at) THEN
        RAISE EXCEPTION 'who made a cycle, where and when, does not change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = 'running' THEN
        IF (NEW.state, NEW.started_at) IS DISTINCT FROM (OLD.state, OLD.started_at) THEN
            RAISE EXCEPTION 'a cycle starts once' USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.definition IS DISTINCT FROM OLD.definition AND NOT by_two_officers THEN
            RAISE EXCEPTION 'a running cycle is frozen, but for dates that two officers move'
                USING ERRCODE = 'restrict_violation';
        END IF;
    ELSIF NEW.state = 'running' THEN
        NEW.started_at := clock_timestamp();
        IF NOT EXISTS (
            SELECT 1 FROM jsonb_array_elements(NEW.definition -> 'phases') phase
            WHERE (phase ->> 'closes_at')::timestamptz > NEW.started_at
        ) THEN
            RAISE EXCEPTION 'a cycle that is over does not start'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'cycle_starts_before_it_ends';
        END IF;
    ELSIF NEW.started_at IS NOT NULL THEN
        RAISE EXCEPTION 'a draft has not started' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# The phases as rows, for every question that asks the clock. They cannot say anything else than
# the definition does: nobody but this trigger may write them.
CYCLE_PHASES = """
CREATE FUNCTION cycle_phases() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM cycle_phase WHERE cycle_id = NEW.id;
    INSERT INTO cycle_phase (cycle_id, kind, opens_at, closes_at)
        SELECT NEW.id, phase ->> 'kind',
            (phase ->> 'opens_at')::timestamptz, (phase ->> 'closes_at')::timestamptz
        FROM jsonb_array_elements(NEW.definition -> 'phases') phase;
    RETURN NULL;
END $$
"""

# The callers hold the cycle's row, so each number is given once.
WRITE_CYCLE_NOTICE = """
CREATE FUNCTION write_cycle_notice(
    p_cycle_id uuid, p_kind text, p_at timestamptz, p_facts jsonb
) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO cycle_notice (cycle_id, n, content)
    SELECT p_cycle_id, (SELECT count(*) FROM cycle_notice WHERE cycle_id = p_cycle_id),
        convert_to(canonical_json(jsonb_strip_nulls(p_facts) || jsonb_build_object(
            'format', 'mvote-cycle-notice/1', 'cycle_id', p_cycle_id, 'kind', p_kind,
            'at', instant(p_at)
        )), 'UTF8')
$$
"""

# The row, then the clock, then the grant, the dates, the notice: all or nothing. False where the
# state does not allow it. `dates`: JSON pointer into the definition -> an instant, or "now". What
# has come does not move, and nothing moves to where it would have come already.
MOVE_CYCLE = """
CREATE FUNCTION move_cycle(p_cycle_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
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
    PERFORM write_cycle_notice(p_cycle_id, 'dates', moving_time,
        jsonb_build_object('changes', changes, 'text', approved -> 'text'));
    RETURN true;
END $$
"""

FUNCTIONS = {
    "cycle_guard()": CYCLE_GUARD,
    "cycle_phases()": CYCLE_PHASES,
    "write_cycle_notice(uuid, text, timestamptz, jsonb)": WRITE_CYCLE_NOTICE,
    "move_cycle(uuid, uuid, uuid)": MOVE_CYCLE,
}
TRIGGERS = (
    ("cycle_guard", "BEFORE INSERT OR UPDATE OR DELETE ON cycle"),
    ("cycle_phases", "AFTER INSERT OR UPDATE OF definition ON cycle"),
    ("insert_only", "BEFORE UPDATE OR DELETE ON cycle_notice"),
)
GRANTS = (
    "SELECT, INSERT, UPDATE (definition, version, state) ON cycle",
    "SELECT ON cycle_phase",
    "SELECT ON cycle_notice",
    "EXECUTE ON FUNCTION move_cycle(uuid, uuid, uuid)",
)


def upgrade() -> None:
    _create_cycle()
    _create_cycle_phase()
    _create_cycle_notice()
    for signature, body in FUNCTIONS.items():
        op.execute(sa.text(body.replace(":", "\\:")))
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    for trigger, events in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger} {events} FOR EACH ROW EXECUTE FUNCTION {trigger}()")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO mvote_api")


def _create_cycle() -> None:
    op.create_table(
        "cycle",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        _derived("title", postgresql.JSONB(), "(definition -> 'title'::text)"),
        _derived("currency", sa.String(), "(definition ->> 'currency'::text)"),
        _derived("budget_year", sa.Integer(), "((definition ->> 'budget_year'::text))::integer"),
        _derived(
            "budget_limit",
            sa.BigInteger(),
            "((definition ->> 'budget_limit'::text))::bigint",
            nullable=True,
        ),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_cycle"),
        sa.CheckConstraint("state IN ('draft', 'running')", name=op.f("ck_cycle_state_known")),
        sa.CheckConstraint(
            "(state = 'running') = (started_at IS NOT NULL)",
            name=op.f("ck_cycle_running_has_started_at"),
        ),
        sa.CheckConstraint(
            "COALESCE(jsonb_typeof(definition -> 'phases'), '') = 'array'",
            name=op.f("ck_cycle_definition_has_phases"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_cycle_version_counts")),
    )


def _derived(
    name: str, kind: sa.types.TypeEngine[Any], rule: str, *, nullable: bool = False
) -> sa.Column[Any]:
    """A column that the database computes from the definition."""
    return sa.Column(name, kind, sa.Computed(rule, persisted=True), nullable=nullable)


def _create_cycle_phase() -> None:
    op.create_table(
        "cycle_phase",
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("opens_at", UtcDateTime(), nullable=False),
        sa.Column("closes_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("cycle_id", "kind", name="pk_cycle_phase"),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name="fk_cycle_phase_cycle_id"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_cycle_phase_kind_known")),
        sa.CheckConstraint(
            "opens_at < closes_at", name=op.f("ck_cycle_phase_opens_before_it_closes")
        ),
        postgresql.ExcludeConstraint(
            (sa.column("cycle_id"), "="),
            (sa.text("tstzrange(opens_at, closes_at)"), "&&"),
            using="gist",
            name="ex_cycle_phase_one_at_a_time",
        ),
    )


def _create_cycle_notice() -> None:
    op.create_table(
        "cycle_notice",
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("cycle_id", "n", name="pk_cycle_notice"),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name="fk_cycle_notice_cycle_id"),
        sa.CheckConstraint("n >= 0", name=op.f("ck_cycle_notice_numbered")),
    )


def downgrade() -> None:
    for signature in ("move_cycle(uuid, uuid, uuid)",
                      "write_cycle_notice(uuid, text, timestamptz, jsonb)"):  # fmt: skip
        op.execute(f"DROP FUNCTION {signature}")
    for table in ("cycle_notice", "cycle_phase", "cycle"):
        op.drop_table(table)
    for guard in ("cycle_phases()", "cycle_guard()"):
        op.execute(f"DROP FUNCTION {guard}")
