"""Seats go to whom the lot gave them; lists say how they were voted on; who finds is an officer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

# What the draw published decides: its members, and reserves once they have moved up.
WAS_DRAWN = """
CREATE FUNCTION was_drawn(p_committee_id uuid, p_pseudonym text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM committee_draw_file
            WHERE committee_id = p_committee_id AND name = 'outcome.json'
                AND convert_from(content, 'UTF8')::jsonb -> 'members' ? p_pseudonym)
        OR EXISTS (SELECT 1 FROM committee_reserve WHERE committee_id = p_committee_id
            AND pseudonym = p_pseudonym AND state = 'moved_up')
$$
"""
APPLIED = "AND withdrawn_at IS NULL) THEN"
DRAWN = "AND withdrawn_at IS NULL AND was_drawn(NEW.committee_id, NEW.pseudonym)) THEN"
RESERVE_DRAWN = """
CREATE FUNCTION committee_reserve_drawn() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.state <> 'waiting' OR NEW.pseudonym IS DISTINCT FROM (
        SELECT convert_from(content, 'UTF8')::jsonb -> 'reserves' ->> (NEW.position - 1)
            FROM committee_draw_file
            WHERE committee_id = NEW.committee_id AND name = 'outcome.json') THEN
        RAISE EXCEPTION 'reserves are those of the draw, in its order'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
# Whoever confirms stands in a guard of their own; what they confirm is as it was found.
FOUND_GUARD = """
CREATE FUNCTION assessment_found_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.confirmed_by IS NULL AND NOT EXISTS (SELECT 1 FROM role_grant
        WHERE citizen_id = NEW.found_by AND role = 'officer'
            AND department_id = NEW.department_id) THEN
        RAISE EXCEPTION 'officers of the department find what they find'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
OPEN_LIST = "CONSTRAINT = 'shortlist_open';\n    END IF;"
COUNTED_LIST = (
    OPEN_LIST
    + """
    IF NEW.state = 'closed' AND (ARRAY[NEW.yes, NEW.no, NEW.abstain]::bigint[] IS DISTINCT FROM (
            SELECT ARRAY[count(*) FILTER (WHERE vote = 'yes'), count(*) FILTER (WHERE vote = 'no'),
                count(*) FILTER (WHERE vote = 'abstain')]
            FROM shortlist_vote WHERE shortlist_id = NEW.id AND seat_id = ANY (NEW.roll))
        OR EXISTS (SELECT 1 FROM unnest(NEW.roll) AS entitled (id) WHERE NOT EXISTS (
            SELECT 1 FROM seat WHERE seat.id = entitled.id AND has_vote
                AND committee_id = NEW.committee_id AND seat.state = 'filled'))
        OR (SELECT (quorate, carried) IS DISTINCT FROM (true, NEW.carried) FROM outcome_of(
            NEW.ranked[1], cardinality(NEW.roll), NEW.yes, NEW.no, NEW.abstain))) THEN
        RAISE EXCEPTION 'the count is that of the recorded votes on the list'
            USING ERRCODE = 'restrict_violation';
    END IF;"""
)
CHANGES = (
    ("seat_guard", APPLIED, DRAWN),
    ("shortlist_guard", OPEN_LIST, COUNTED_LIST),
)
GUARDS = {
    "committee_reserve_drawn": (RESERVE_DRAWN, "committee_reserve", "INSERT"),
    "assessment_found_guard": (FOUND_GUARD, "assessment", "INSERT OR UPDATE"),
}
NUMBERS = ("yes", "no", "abstain")
COUNTED = "ck_shortlist_counted"
PARTS_BEFORE = "carried, closed_at, closed_by"
PARTS = f"roll, yes, no, abstain, {PARTS_BEFORE}"


def upgrade() -> None:
    op.execute(sa.text(WAS_DRAWN.replace(":", "\\:")))
    op.execute("REVOKE ALL ON FUNCTION was_drawn(uuid, text) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION was_drawn(uuid, text) TO mvote_api")
    for name, (body, table, events) in GUARDS.items():
        op.execute(sa.text(body.replace(":", "\\:")))
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {events} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    _add_counts()
    for function, old, new in CHANGES:
        _replace(function, old, new)
    op.execute("GRANT UPDATE (roll, yes, no, abstain) ON shortlist TO mvote_api")
    op.execute("GRANT DELETE ON authors_consent TO mvote_api")


def _add_counts() -> None:
    """What was closed before has the votes that were recorded as its roll."""
    op.add_column("shortlist", sa.Column("roll", ARRAY(sa.Uuid())))
    for name in NUMBERS:
        op.add_column("shortlist", sa.Column(name, sa.Integer()))
    op.execute("ALTER TABLE shortlist DISABLE TRIGGER shortlist_guard")
    op.execute("""
        UPDATE shortlist SET roll = coalesce(counted.roll, '{}'), yes = counted.yes,
            no = counted.no, abstain = counted.abstain
        FROM (SELECT shortlist.id, array_agg(seat_id) FILTER (WHERE seat_id IS NOT NULL) AS roll,
                count(*) FILTER (WHERE vote = 'yes') AS yes,
                count(*) FILTER (WHERE vote = 'no') AS no,
                count(*) FILTER (WHERE vote = 'abstain') AS abstain
            FROM shortlist LEFT JOIN shortlist_vote ON shortlist_id = shortlist.id
            GROUP BY shortlist.id) AS counted
        WHERE counted.id = shortlist.id AND shortlist.state = 'closed'""")
    op.execute("ALTER TABLE shortlist ENABLE TRIGGER shortlist_guard")
    _counted(PARTS, 7)


def downgrade() -> None:
    op.execute("REVOKE DELETE ON authors_consent FROM mvote_api")
    for function, old, new in reversed(CHANGES):
        _replace(function, new, old)
    _counted(PARTS_BEFORE, 3)
    for name in ("roll", *NUMBERS):
        op.drop_column("shortlist", name)
    for name, (_, table, _) in GUARDS.items():
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
    op.execute("DROP FUNCTION was_drawn(uuid, text)")


def _counted(parts: str, number: int) -> None:
    op.drop_constraint(op.f(COUNTED), "shortlist")
    op.create_check_constraint(
        op.f(COUNTED),
        "shortlist",
        f"num_nonnulls({parts}) = CASE state WHEN 'closed' THEN {number} ELSE 0 END",
    )


def _replace(function: str, old: str, new: str) -> None:
    """Put *new* in the place of *old* in a function's body, which must have it once."""
    [(definition,)] = op.get_bind().execute(
        sa.text("SELECT pg_get_functiondef(CAST(:name AS regproc))"), {"name": function}
    )
    if definition.count(old) != 1:
        raise RuntimeError(f"{function} is not as it was")
    op.execute(sa.text(definition.replace(old, new).replace(":", "\\:")))
