"""Reports of polls, what is held back for them, and what officers decide."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from mvote.base import UtcDateTime

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

GROUNDS = (
    "'personal-data', 'insult-or-hate', 'advertising', 'false-pretences', 'duplicate', 'other'"
)
TOLD = (
    "'returned', 'lapsed', 'under_review', 'approved', 'rejected', 'withdrawn', 'merged', 'split',"
    " 'on_ballot', 'struck', 'funded', 'reserve', 'not_funded', 'enacted', 'reduced', 'dropped',"
    " 'update', 'assessment_overdue', 'delivery_overdue'"
)
OF_POLLS = "'poll_held_back', 'poll_released', 'poll_kept_out'"
ONE_OR_SEVERAL = "({which}) = COALESCE(jsonb_typeof(facts -> 'references') = 'array', false)"
# The web may look at all of it; a report changes by forgetting its text only.
GRANTS = {
    "moderation_case":
        "SELECT, INSERT, UPDATE (state, waiting, waiting_since, held_at, decided, releases)",
    "report": "SELECT, INSERT, DELETE, UPDATE (text)",
    "moderation_decision": "SELECT, INSERT",
}  # fmt: skip

CASE_GUARD = """
CREATE FUNCTION moderation_case_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' AND (NEW.state, NEW.decided) IS DISTINCT FROM ('reported', 0)
        OR TG_OP = 'UPDATE' AND (NEW.poll_id <> OLD.poll_id
            OR NEW.decided NOT IN (OLD.decided, OLD.decided + 1)
            OR OLD.state || ' ' || NEW.state NOT IN (
                'reported reported', 'reported held', 'reported released', 'reported kept',
                'held held', 'held released', 'held kept', 'released reported',
                'kept kept', 'kept released')) THEN
        RAISE EXCEPTION 'a case goes from reports to a decision'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.held_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM poll
            WHERE id = NEW.poll_id AND origin = 'citizen' AND NOT is_private) THEN
        RAISE EXCEPTION 'only public polls of citizens are left out of lists'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
REPORT_GUARD = """
CREATE FUNCTION report_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT 1 FROM poll WHERE id = NEW.poll_id AND frozen_at IS NOT NULL) THEN
            RAISE EXCEPTION 'nobody knows of a draft' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.text IS NULL AND to_jsonb(OLD) - 'text' = to_jsonb(NEW) - 'text' THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a report does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM moderation_decision
            WHERE poll_id = OLD.poll_id AND n = OLD.decided_before + 1) THEN
        RAISE EXCEPTION 'a report that waits is not taken away'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$
"""
TRIGGERS = (
    ("moderation_case_guard", CASE_GUARD, "BEFORE INSERT OR UPDATE ON moderation_case"),
    ("report_guard", REPORT_GUARD, "BEFORE INSERT OR UPDATE OR DELETE ON report"),
)


def upgrade() -> None:
    _create_tables()
    _create_reports()
    for name, body, when in TRIGGERS:
        op.execute(body)
        op.execute(f"CREATE TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION {name}()")
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON moderation_decision"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    )
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO mvote_api")
    op.alter_column("bulletin", "cycle_id", nullable=True)
    op.add_column("bulletin", sa.Column("poll_id", sa.Uuid()))
    op.create_foreign_key("fk_bulletin_poll_id", "bulletin", "poll", ["poll_id"], ["id"])
    _check_bulletins(f"{TOLD}, {OF_POLLS}", "proposal_id IS NULL AND poll_id IS NULL")
    checks = {
        "of_cycle_or_poll": "(cycle_id IS NULL) = (poll_id IS NOT NULL)",
        "proposal_of_cycle": "cycle_id IS NOT NULL OR proposal_id IS NULL",
        "of_poll_by_kind": f"(poll_id IS NOT NULL) = (kind IN ({OF_POLLS}))",
    }
    for name, condition in checks.items():
        op.create_check_constraint(op.f(f"ck_bulletin_{name}"), "bulletin", condition)


def downgrade() -> None:
    op.execute("ALTER TABLE bulletin DISABLE TRIGGER bulletin_guard")
    op.execute(
        "DELETE FROM inbox_item USING bulletin b WHERE b.id = bulletin_id AND b.poll_id IS NOT NULL"
    )
    op.execute("DELETE FROM bulletin WHERE poll_id IS NOT NULL")
    op.execute("ALTER TABLE bulletin ENABLE TRIGGER bulletin_guard")
    _check_bulletins(TOLD, "proposal_id IS NULL")
    for name in ("of_cycle_or_poll", "proposal_of_cycle", "of_poll_by_kind"):
        op.drop_constraint(op.f(f"ck_bulletin_{name}"), "bulletin")
    op.drop_column("bulletin", "poll_id")
    op.alter_column("bulletin", "cycle_id", nullable=False)
    for table in ("moderation_decision", "report", "moderation_case"):
        op.drop_table(table)
    for name, _, _ in TRIGGERS:
        op.execute(f"DROP FUNCTION {name}()")


def _check_bulletins(kinds: str, which: str) -> None:
    """Put the two rules that speak of kinds anew."""
    rules = {
        "kind_known": f"kind IN ({kinds})",
        "of_one_or_of_several": ONE_OR_SEVERAL.format(which=which),
    }
    for name, condition in rules.items():
        op.drop_constraint(op.f(f"ck_bulletin_{name}"), "bulletin")
        op.create_check_constraint(op.f(f"ck_bulletin_{name}"), "bulletin", condition)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _create_tables() -> None:
    table = "moderation_case"
    op.create_table(
        table,
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("waiting_since", UtcDateTime()),
        sa.Column("held_at", UtcDateTime()),
        sa.Column("decided", sa.Integer(), nullable=False),
        sa.Column("releases", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name=f"fk_{table}_poll_id"),
        _check(table, "state_known", "state IN ('reported', 'held', 'released', 'kept')"),
        _check(table, "held_dated", "(state IN ('held', 'kept')) = (held_at IS NOT NULL)"),
        _check(table, "waits_with_reports", "(state IN ('reported', 'held')) = (waiting > 0)"),
        _check(table, "waiting_dated", "(waiting > 0) = (waiting_since IS NOT NULL)"),
        _check(table, "releases_decided", "0 <= releases AND releases <= decided"),
    )
    op.create_index(
        f"ix_{table}_held_at",
        table,
        ["held_at"],
        postgresql_where=sa.text("held_at IS NOT NULL"),
    )
    table = "moderation_decision"
    op.create_table(
        table,
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", JSONB(), nullable=False),
        sa.Column("grounds", JSONB(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("held_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("poll_id", "n", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["poll_id"], ["moderation_case.poll_id"], name=f"fk_{table}_poll_id"
        ),
        _check(table, "decision_known", "decision IN ('release', 'keep')"),
        _check(table, "numbered", "n >= 1"),
        _check(table, "held_before", "held_at <= at"),
    )


def _create_reports() -> None:
    table = "report"
    op.create_table(
        table,
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("reporter", sa.LargeBinary(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("text", sa.String()),
        sa.Column("decided_before", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", "reporter", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["poll_id"], ["moderation_case.poll_id"], name=f"fk_{table}_poll_id"
        ),
        _check(table, "reporter_whole", "octet_length(reporter) = 32"),
        _check(table, "ground_known", f"ground IN ({GROUNDS})"),
        _check(table, "text_short", "char_length(text) BETWEEN 1 AND 1000"),
    )
