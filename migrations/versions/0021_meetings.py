"""Meetings of committees, and their members divided among subcommittees."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from mvote.base import UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

GRANTS = {
    "meeting": "SELECT, INSERT, UPDATE (called_off_at, why_called_off)",
    "meeting_agenda": "SELECT, INSERT",
    "meeting_attendance": "SELECT, INSERT, DELETE",
    "meeting_minutes": "SELECT, INSERT",
    "subcommittee_preference": "SELECT, INSERT, UPDATE (committees, stated_at)",
    "division": "SELECT, INSERT",
}
INSERT_ONLY = ("meeting_agenda", "meeting_minutes", "division")

MEETING_GUARD = """
CREATE FUNCTION meeting_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.called_off_at IS NOT NULL
        OR to_jsonb(OLD) - 'called_off_at' - 'why_called_off'
            <> to_jsonb(NEW) - 'called_off_at' - 'why_called_off' THEN
        RAISE EXCEPTION 'a meeting is called off, never changed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
ATTENDANCE_GUARD = """
CREATE FUNCTION meeting_attendance_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    recorded meeting_attendance := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF TG_OP = 'UPDATE' OR EXISTS (
            SELECT 1 FROM meeting_minutes WHERE meeting_id = recorded.meeting_id) THEN
        RAISE EXCEPTION 'who was there stands once there are minutes'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN recorded;
END $$
"""

# Who leaves the committee leaves its subcommittees, however that comes about.
SEAT_FOLLOWS = """
CREATE FUNCTION seat_follows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE seat SET state = 'vacant', vacated_at = NEW.vacated_at
        WHERE plenary_seat_id = NEW.id AND state = 'filled';
    RETURN NULL;
END $$
"""
GUARDS = {
    "meeting_guard": (MEETING_GUARD, "meeting", "UPDATE OR DELETE"),
    "meeting_attendance_guard": (
        ATTENDANCE_GUARD, "meeting_attendance", "INSERT OR UPDATE OR DELETE",
    ),
}  # fmt: skip


def upgrade() -> None:
    _create_meeting()
    _create_division()
    for name, (body, table, events) in GUARDS.items():
        op.execute(sa.text(body.replace(":", "\\:")))
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {events} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION insert_only()"
        )
    op.execute(SEAT_FOLLOWS)
    op.execute("REVOKE ALL ON FUNCTION seat_follows() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER seat_follows AFTER UPDATE OF state, citizen_id ON seat FOR EACH ROW"
        " WHEN (OLD.state = 'filled' AND NEW.state = 'vacant') EXECUTE FUNCTION seat_follows()"
    )
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO mvote_api")


def downgrade() -> None:
    op.execute("DROP TRIGGER seat_follows ON seat")
    op.execute("DROP FUNCTION seat_follows()")
    for table in ("division", "subcommittee_preference", "meeting_attendance", "meeting_minutes",
                  "meeting_agenda", "meeting"):  # fmt: skip
        op.drop_table(table)
    for name in GUARDS:
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_index("ix_seat_plenary_seat_id", "seat")
    op.drop_column("seat", "plenary_seat_id")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _refers(
    table: str, to: str, column: str | None = None, *, is_null: bool = False
) -> list[sa.schema.SchemaItem]:
    """A column that refers to the table *to*."""
    column = column or f"{to}_id"
    return [
        sa.Column(column, sa.Uuid(), nullable=is_null),
        sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}"),
    ]


def _id(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def _at(name: str, *, is_null: bool = False) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(), nullable=is_null)


def _words(name: str, kind: sa.types.TypeEngine[str] | None = None) -> sa.Column[str]:
    return sa.Column(name, kind or sa.String(), nullable=False)


def _create_meeting() -> None:
    op.create_table(
        "meeting",
        *_id("meeting"),
        *_refers("meeting", "committee"),
        _words("form"),
        _at("starts_at"),
        _at("ends_at"),
        sa.Column("place", JSONB()),
        sa.Column("called_by", sa.Uuid(), nullable=False),
        _at("called_at"),
        _at("called_off_at", is_null=True),
        sa.Column("why_called_off", JSONB()),
        _check("meeting", "form_known", "form IN ('meeting', 'online')"),
        _check("meeting", "starts_before_it_ends", "starts_at < ends_at"),
        _check("meeting", "held_somewhere", "form = 'online' OR place IS NOT NULL"),
        _check(
            "meeting",
            "called_off_with_reason",
            "(called_off_at IS NULL) = (why_called_off IS NULL)",
        ),
    )
    op.create_index("ix_meeting_committee_id", "meeting", ["committee_id"])
    _of_meeting("meeting_agenda", "n", [
        sa.Column("text", JSONB(), nullable=False),
        *_refers("meeting_agenda", "proposal", is_null=True),
    ])  # fmt: skip
    op.create_index("ix_meeting_agenda_proposal_id", "meeting_agenda", ["proposal_id"])
    _of_meeting("meeting_minutes", "n", [
        sa.Column("text", JSONB(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        _at("at"),
    ])  # fmt: skip
    table = "meeting_attendance"
    op.create_table(
        table,
        *_refers(table, "meeting"),
        *_refers(table, "seat"),
        _at("recorded_at"),
        sa.PrimaryKeyConstraint("meeting_id", "seat_id", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_seat_id", table, ["seat_id"])


def _of_meeting(table: str, number: str, more: list[sa.schema.SchemaItem]) -> None:
    op.create_table(
        table,
        *_refers(table, "meeting"),
        sa.Column(number, sa.Integer(), nullable=False),
        *more,
        sa.PrimaryKeyConstraint("meeting_id", number, name=f"pk_{table}"),
        _check(table, "numbered", f"{number} >= 1"),
    )


def _create_division() -> None:
    op.add_column("seat", sa.Column("plenary_seat_id", sa.Uuid()))
    op.create_foreign_key("fk_seat_plenary_seat_id", "seat", "seat", ["plenary_seat_id"], ["id"])
    op.create_index("ix_seat_plenary_seat_id", "seat", ["plenary_seat_id"])
    table = "subcommittee_preference"
    op.create_table(
        table,
        *_refers(table, "seat"),
        sa.Column("committees", ARRAY(sa.Uuid()), nullable=False),
        _at("stated_at"),
        sa.PrimaryKeyConstraint("seat_id", name=f"pk_{table}"),
    )
    op.create_table(
        "division",
        *_refers("division", "committee"),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("held_by", sa.Uuid(), nullable=False),
        _at("held_at"),
        sa.PrimaryKeyConstraint("committee_id", "n", name="pk_division"),
        _check("division", "numbered", "n >= 1"),
    )
