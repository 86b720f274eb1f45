"""Delivery of enacted projects, the inbox, and proposals that came on paper."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from mvote.base import UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

DEAREST = 10_000_000_000_000
TOLD = (
    "'returned', 'lapsed', 'under_review', 'approved', 'rejected', 'withdrawn', 'merged', 'split',"
    " 'on_ballot', 'struck', 'funded', 'reserve', 'not_funded', 'enacted', 'reduced', 'dropped'"
)
OVERDUE = "'assessment_overdue', 'delivery_overdue'"
GRANTS = {
    "paper_entry": "SELECT, INSERT, UPDATE (person, contact, forgotten_at)",
    "project_update": "SELECT, INSERT",
    "bulletin": "SELECT, INSERT, UPDATE (told_at)",
    "inbox_item": "SELECT, INSERT, UPDATE (read_at)",
    "cycle_follower": "SELECT, INSERT, DELETE",
}

# Rows come in the order 1, 2, 3 …, of what was enacted and of nothing else. A correction names an
# update that is there.
UPDATE_GUARD = """
CREATE FUNCTION project_update_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    state_now text;
BEGIN
    SELECT state INTO state_now FROM proposal WHERE id = NEW.proposal_id;
    IF state_now IS NULL OR state_now NOT IN ('enacted', 'reduced') THEN
        RAISE EXCEPTION 'only of what was enacted is told how it is delivered'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.n <> 1 + (SELECT count(*) FROM project_update WHERE proposal_id = NEW.proposal_id) THEN
        RAISE EXCEPTION 'updates are numbered without a gap' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# Whoever moves a proposal, and however: what is told of it is written in the same transaction.
PROPOSAL_TELL = f"""
CREATE FUNCTION proposal_tell() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.reference IS NOT NULL AND NEW.state IN ({TOLD}) THEN
        INSERT INTO bulletin (id, kind, cycle_id, proposal_id, due_at, at)
            VALUES (gen_random_uuid(), NEW.state, NEW.cycle_id, NEW.id, NEW.due_at,
                clock_timestamp());
    END IF;
    RETURN NULL;
END $$
"""
UPDATE_TELL = """
CREATE FUNCTION project_update_tell() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO bulletin (id, kind, cycle_id, proposal_id, facts, at)
        SELECT gen_random_uuid(), 'update', cycle_id, id, jsonb_build_object('n', NEW.n),
            clock_timestamp() FROM proposal WHERE id = NEW.proposal_id;
    RETURN NULL;
END $$
"""

# What happened to one proposal only the triggers say. The keeper adds what only time brings, and
# what it sums up for those who follow a cycle.
BULLETIN_GUARD = f"""
CREATE FUNCTION bulletin_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    by_trigger boolean :=
        current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID);
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND (OLD.told_at IS NOT NULL
            OR to_jsonb(OLD) - 'told_at' <> to_jsonb(NEW) - 'told_at') THEN
        RAISE EXCEPTION 'what is told does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' AND NEW.proposal_id IS NOT NULL AND NEW.kind NOT IN ({OVERDUE})
            AND NOT by_trigger THEN
        RAISE EXCEPTION 'what is told of a proposal is what happened to it'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""
TRIGGERS = {
    "project_update_guard": (UPDATE_GUARD, "BEFORE INSERT ON project_update"),
    "project_update_tell": (UPDATE_TELL, "AFTER INSERT ON project_update"),
    "bulletin_guard": (BULLETIN_GUARD, "BEFORE INSERT OR UPDATE OR DELETE ON bulletin"),
    "proposal_tell": (PROPOSAL_TELL, "AFTER UPDATE ON proposal"),
}


def upgrade() -> None:
    _create_updates()
    _create_bulletins()
    _create_readers()
    _create_paper()
    for name, (body, when) in TRIGGERS.items():
        op.execute(sa.text(body.replace(":", "\\:")))
        changed = " WHEN (OLD.state <> NEW.state)" if name == "proposal_tell" else ""
        op.execute(f"CREATE TRIGGER {name} {when} FOR EACH ROW{changed} EXECUTE FUNCTION {name}()")
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON project_update"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    )
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO mvote_api")


def downgrade() -> None:
    op.execute("DROP TRIGGER proposal_tell ON proposal")
    for table in ("paper_entry", "cycle_follower", "inbox_item", "bulletin", "project_update"):
        op.drop_table(table)
    for name in TRIGGERS:
        op.execute(f"DROP FUNCTION {name}()")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _refers(
    table: str, column: str, to: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [to], name=name, ondelete=ondelete)


def _create_updates() -> None:
    table = "project_update"
    op.create_table(
        table,
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("corrects", sa.Integer()),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("text", JSONB(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("milestones", JSONB(), nullable=False),
        sa.Column("pictures", JSONB(), nullable=False),
        sa.Column("next_due_on", sa.Date()),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", "n", name=f"pk_{table}"),
        _refers(table, "proposal_id", "proposal.id"),
        _refers(table, "department_id", "department.id"),
        _check(table, "corrects_an_earlier_one", "corrects BETWEEN 1 AND n - 1"),
        _check(table, "percent_in_range", "percent BETWEEN 0 AND 100"),
        _check(table, "spent_in_range", f"spent BETWEEN 0 AND {DEAREST}"),
        _check(table, "delivered_when_all_is_done", "percent < 100 OR next_due_on IS NULL"),
    )


def _create_bulletins() -> None:
    op.create_table(
        "bulletin",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid()),
        sa.Column("due_at", UtcDateTime()),
        sa.Column("facts", JSONB(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("told_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_bulletin"),
        _refers("bulletin", "proposal_id", "proposal.id"),
        _check("bulletin", "kind_known", f"kind IN ({TOLD}, 'update', {OVERDUE})"),
        _check(
            "bulletin",
            "of_one_or_of_several",
            "(proposal_id IS NULL)"
            " = COALESCE(jsonb_typeof(facts -> 'references') = 'array', false)",
        ),
    )
    op.create_index(
        "ix_bulletin_untold", "bulletin", ["at"], postgresql_where=sa.text("told_at IS NULL")
    )
    op.create_index(
        "uq_bulletin_overdue",
        "bulletin",
        ["proposal_id", "kind", "due_at"],
        unique=True,
        postgresql_where=sa.text(f"kind IN ({OVERDUE})"),
    )


def _create_readers() -> None:
    op.create_table(
        "inbox_item",
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.Column("bulletin_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("citizen_id", "bulletin_id", name="pk_inbox_item"),
        _refers("inbox_item", "citizen_id", "citizen.id", ondelete="CASCADE"),
        _refers("inbox_item", "bulletin_id", "bulletin.id"),
    )
    # Without an id and without a time: a wish that was said beside a ballot must not date it.
    op.create_table(
        "cycle_follower",
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("cycle_id", "citizen_id", name="pk_cycle_follower"),
        _refers("cycle_follower", "cycle_id", "cycle.id"),
        _refers("cycle_follower", "citizen_id", "citizen.id", ondelete="CASCADE"),
    )
    op.create_index("ix_cycle_follower_citizen_id", "cycle_follower", ["citizen_id"])


def _create_paper() -> None:
    table = "paper_entry"
    op.create_table(
        table,
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("person", sa.String()),
        sa.Column("contact", sa.String()),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("forgotten_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("proposal_id", name=f"pk_{table}"),
        _refers(table, "proposal_id", "proposal.id"),
        _refers(table, "department_id", "department.id"),
        _check(table, "person_or_forgotten", "(person IS NULL) = (forgotten_at IS NOT NULL)"),
        _check(table, "contact_of_somebody", "person IS NOT NULL OR contact IS NULL"),
    )
