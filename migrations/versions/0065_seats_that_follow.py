"""Whose seat a reserve takes who moves up; and reserves are told of the seats they are given.

Both are told by the database in the transaction of the act, as what happens to a proposal is: a
bulletin of a seat is never made up.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

TOLD = (
    "'returned', 'lapsed', 'under_review', 'approved', 'rejected', 'withdrawn', 'merged', 'split',"
    " 'on_ballot', 'struck', 'funded', 'reserve', 'not_funded', 'enacted', 'reduced', 'dropped',"
    " 'update', 'assessment_overdue', 'delivery_overdue', 'poll_held_back', 'poll_released',"
    " 'poll_kept_out', 'poll_hold_expired'"
)
OF_SEATS = "'moved_up', 'sworn_in'"
OF_ONE = "proposal_id IS NULL AND poll_id IS NULL"
ONE_OR_SEVERAL = "({which}) = COALESCE(jsonb_typeof(facts -> 'references') = 'array', false)"

# Until now nobody wrote it down: the first to move up followed the first who left, and so on.
FOLLOWED_BEFORE = """
WITH came AS (
    SELECT seat.id, seat.committee_id,
        row_number() OVER (PARTITION BY seat.committee_id ORDER BY seat.number) AS nth
    FROM seat JOIN committee_reserve USING (committee_id, pseudonym) WHERE seat.kind = 'citizen'
), went AS (
    SELECT id, committee_id,
        row_number() OVER (PARTITION BY committee_id ORDER BY vacated_at, number) AS nth
    FROM seat WHERE kind = 'citizen' AND state = 'vacant'
        AND committee_id IN (SELECT committee_id FROM committee_draw)
)
UPDATE seat SET predecessor_id = went.id FROM came JOIN went USING (committee_id, nth)
WHERE seat.id = came.id
"""
SEAT_MOVED_UP = """
CREATE FUNCTION seat_moved_up() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    before seat;
BEGIN
    SELECT * INTO before FROM seat WHERE id = NEW.predecessor_id;
    IF (NEW.kind, before.kind, before.state, before.committee_id)
            IS DISTINCT FROM ('citizen', 'citizen', 'vacant', NEW.committee_id) THEN
        RAISE EXCEPTION 'whoever moves up takes a seat of the committee that fell vacant'
            USING ERRCODE = 'restrict_violation';
    END IF;
    INSERT INTO bulletin (id, kind, cycle_id, seat_id, facts, at)
        SELECT gen_random_uuid(), 'moved_up', cycle_id, NEW.id, jsonb_build_object(
            'number', NEW.number, 'predecessor', before.number, 'committee', name),
            clock_timestamp() FROM committee WHERE id = NEW.committee_id;
    RETURN NULL;
END $$
"""
SWORN_IN_TELL = """
CREATE FUNCTION sworn_in_tell() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO bulletin (id, kind, cycle_id, proposal_id, seat_id, facts, at)
        SELECT gen_random_uuid(), 'sworn_in', committee.cycle_id, judgment.proposal_id, seat.id,
            jsonb_build_object('number', seat.number, 'committee', committee.name),
            clock_timestamp()
        FROM judgment CROSS JOIN seat JOIN committee ON committee.id = seat.committee_id
        WHERE judgment.id = NEW.judgment_id AND seat.id = NEW.seat_id;
    RETURN NULL;
END $$
"""
TRIGGERS = {
    "seat_moved_up": (SEAT_MOVED_UP, "seat", "WHEN (NEW.predecessor_id IS NOT NULL)"),
    "sworn_in_tell": (SWORN_IN_TELL, "sworn_in", ""),
}
BY_THE_DATABASE = "NEW.proposal_id IS NOT NULL AND NEW.kind NOT IN"
SEATS_TOO = "(NEW.proposal_id IS NOT NULL OR NEW.seat_id IS NOT NULL) AND NEW.kind NOT IN"


def upgrade() -> None:
    op.add_column("seat", sa.Column("predecessor_id", sa.Uuid()))
    op.create_foreign_key("fk_seat_predecessor_id", "seat", "seat", ["predecessor_id"], ["id"])
    op.create_index("uq_seat_predecessor_id", "seat", ["predecessor_id"], unique=True)
    op.execute("ALTER TABLE seat DISABLE TRIGGER seat_guard")
    op.execute(FOLLOWED_BEFORE)
    op.execute("ALTER TABLE seat ENABLE TRIGGER seat_guard")
    op.add_column("bulletin", sa.Column("seat_id", sa.Uuid()))
    op.create_foreign_key("fk_bulletin_seat_id", "bulletin", "seat", ["seat_id"], ["id"])
    _check_bulletins(f"{TOLD}, {OF_SEATS}", f"{OF_ONE} AND seat_id IS NULL")
    by_kind = f"(seat_id IS NOT NULL) = (kind IN ({OF_SEATS}))"
    op.create_check_constraint(op.f("ck_bulletin_of_seat_by_kind"), "bulletin", by_kind)
    _replace("bulletin_guard", BY_THE_DATABASE, SEATS_TOO)
    for name, (body, table, when) in TRIGGERS.items():
        op.execute(sa.text(body.replace(":", "\\:")))
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
        op.execute(
            f"CREATE TRIGGER {name} AFTER INSERT ON {table}"
            f" FOR EACH ROW {when} EXECUTE FUNCTION {name}()"
        )


def downgrade() -> None:
    for name, (_, table, _) in TRIGGERS.items():
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
    _replace("bulletin_guard", SEATS_TOO, BY_THE_DATABASE)
    op.execute("ALTER TABLE bulletin DISABLE TRIGGER bulletin_guard")
    op.execute(
        "DELETE FROM inbox_item USING bulletin b WHERE b.id = bulletin_id AND b.seat_id IS NOT NULL"
    )
    op.execute("DELETE FROM bulletin WHERE seat_id IS NOT NULL")
    op.execute("ALTER TABLE bulletin ENABLE TRIGGER bulletin_guard")
    op.drop_constraint(op.f("ck_bulletin_of_seat_by_kind"), "bulletin")
    _check_bulletins(TOLD, OF_ONE)
    op.drop_column("bulletin", "seat_id")
    op.drop_column("seat", "predecessor_id")


def _check_bulletins(kinds: str, which: str) -> None:
    """Put the two rules that speak of kinds anew."""
    rules = {
        "kind_known": f"kind IN ({kinds})",
        "of_one_or_of_several": ONE_OR_SEVERAL.format(which=which),
    }
    for name, condition in rules.items():
        op.drop_constraint(op.f(f"ck_bulletin_{name}"), "bulletin")
        op.create_check_constraint(op.f(f"ck_bulletin_{name}"), "bulletin", condition)


def _replace(function: str, old: str, new: str) -> None:
    """Put *new* in the place of *old* in a function's body, which must have it once."""
    [(definition,)] = op.get_bind().execute(
        sa.text("SELECT pg_get_functiondef(CAST(:name AS regproc))"), {"name": function}
    )
    if definition.count(old) != 1:
        raise RuntimeError(f"{function} is not as it was")
    op.execute(sa.text(definition.replace(old, new).replace(":", "\\:")))
