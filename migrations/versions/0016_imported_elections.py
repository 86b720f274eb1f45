"""Elections that were held elsewhere: imported as cycles, with projects, ballots and allocation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from mvote.base import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

VOTE_TYPES = "'approval', 'choose-1', 'cumulative', 'ordinal', 'scoring'"
MOST_MONEY = 10**15

# The guard of 0014, each with a place for what is new. What was imported is over, and frozen from
# its first moment.
CYCLE_GUARD = """
CREATE OR REPLACE FUNCTION cycle_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    by_two_officers boolean :=
        current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID);
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> {begins} OR NEW.started_at IS NOT NULL THEN
            RAISE EXCEPTION 'a cycle begins as a draft' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a cycle is never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    {frozen}IF (OLD.id, OLD.author_id, OLD.department_id, OLD.time_zone, OLD.created_at)
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
PLANNED_ONLY = {"begins": "'draft'", "frozen": ""}
PLANNED_OR_IMPORTED = {
    "begins": "ALL ('{draft, imported}'::text[])",
    "frozen": """IF 'imported' IN (OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'what was imported never changes, and nothing becomes so later'
            USING ERRCODE = 'restrict_violation';
    END IF;
    """,
}
TABLES = ("imported_election", "imported_project", "imported_ballots", "cycle_allocation")


def upgrade() -> None:
    _put_guard(PLANNED_OR_IMPORTED)
    _put_states("'draft', 'running', 'imported'")
    for column in ("currency", "budget_year"):
        op.alter_column("cycle", column, nullable=True)
    op.create_check_constraint(
        op.f("ck_cycle_planned_in_full"),
        "cycle",
        "state = 'imported' OR (currency IS NOT NULL AND budget_year IS NOT NULL)",
    )
    _create_election()
    _create_parts()
    _create_allocation()
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION insert_only()"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO mvote_api")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("ALTER TABLE cycle DISABLE TRIGGER cycle_guard")  # it lets nothing be deleted
    op.execute("DELETE FROM cycle WHERE state = 'imported'")
    op.execute("ALTER TABLE cycle ENABLE TRIGGER cycle_guard")
    op.drop_constraint(op.f("ck_cycle_planned_in_full"), "cycle")
    for column in ("currency", "budget_year"):
        op.alter_column("cycle", column, nullable=False)
    _put_states("'draft', 'running'")
    _put_guard(PLANNED_ONLY)


def _put_guard(parts: dict[str, str]) -> None:
    body = CYCLE_GUARD
    for name, part in parts.items():
        body = body.replace("{" + name + "}", part)
    op.execute(sa.text(body.replace(":", "\\:")))


def _put_states(states: str) -> None:
    op.drop_constraint(op.f("ck_cycle_state_known"), "cycle")
    op.create_check_constraint(op.f("ck_cycle_state_known"), "cycle", f"state IN ({states})")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _of(table: str, to: str) -> list[sa.Column[object] | sa.Constraint]:
    """The cycle it belongs to."""
    reference = sa.ForeignKeyConstraint(["cycle_id"], [to], name=f"fk_{table}_cycle_id")
    return [sa.Column("cycle_id", sa.Uuid(), nullable=False), reference]


def _create_election() -> None:
    table = "imported_election"
    op.create_table(
        table,
        *_of(table, "cycle.id"),
        sa.Column("meta", JSONB(), nullable=False),
        sa.Column("vote_type", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("num_votes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("cycle_id", name=f"pk_{table}"),
        _check(table, "vote_type_known", f"vote_type IN ({VOTE_TYPES})"),
        _check(table, "num_votes_counts", "num_votes >= 0"),
        _check(table, "sha256_whole", "octet_length(sha256) = 32"),
    )


def _create_parts() -> None:
    table = "imported_project"
    op.create_table(
        table,
        *_of(table, "imported_election.cycle_id"),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("votes", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("cycle_id", "n", name=f"pk_{table}"),
        sa.UniqueConstraint("cycle_id", "reference", name=f"uq_{table}_cycle_id_reference"),
        _check(table, "cost_in_range", f"cost BETWEEN 1 AND {MOST_MONEY}"),
        _check(table, "counted", "votes >= 0 AND points >= 0"),
        _check(table, "numbered", "n >= 0"),
    )
    table = "imported_ballots"
    op.create_table(
        table,
        *_of(table, "imported_election.cycle_id"),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("ballots", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("cycle_id", "n", name=f"pk_{table}"),
        _check(table, "numbered", "n >= 0"),
        _check(table, "not_empty", "ballots > 0"),
    )


def _create_allocation() -> None:
    table = "cycle_allocation"
    op.create_table(
        table,
        *_of(table, "cycle.id"),
        sa.Column("contest", sa.String(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("allocated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("cycle_id", "contest", name=f"pk_{table}"),
        _check(
            table,
            "document_has_binding",
            "COALESCE(jsonb_typeof(document -> 'binding'), '') = 'object'",
        ),
    )
