"""Two officers are two persons: not two accounts that vote as one.

Whoever joined two accounts of their own, both with an officer's role, could ask with one and grant
with the other, or find and confirm a department's assessment alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

ARE_ONE_PERSON = """
CREATE FUNCTION are_one_person(p_one uuid, p_other uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(
        (SELECT anchor FROM anchor WHERE citizen_id = p_one ORDER BY since DESC LIMIT 1)
        = (SELECT anchor FROM anchor WHERE citizen_id = p_other ORDER BY since DESC LIMIT 1),
        false)
$$
"""
# Arguments: the column of who was first, the column of who comes second.
TWO_PERSONS_GUARD = """
CREATE FUNCTION two_persons_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    first uuid := to_jsonb(NEW) ->> TG_ARGV[0];
    second uuid := to_jsonb(NEW) ->> TG_ARGV[1];
BEGIN
    IF first <> second AND are_one_person(first, second) THEN
        RAISE EXCEPTION 'two accounts of one person are not two persons'
            USING ERRCODE = 'check_violation',
                CONSTRAINT = format('ck_%s_by_two_persons', TG_TABLE_NAME);
    END IF;
    RETURN NEW;
END $$
"""
GUARDED = {"approval": ("asked_by", "granted_by"), "assessment": ("found_by", "confirmed_by")}


def upgrade() -> None:
    _run(ARE_ONE_PERSON)
    _run(TWO_PERSONS_GUARD)
    for function in ("are_one_person(uuid, uuid)", "two_persons_guard()"):
        _run(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
    for table, (first, second) in GUARDED.items():
        _run(
            f"CREATE TRIGGER two_persons_guard BEFORE UPDATE OF {second} ON {table}"
            f" FOR EACH ROW WHEN (NEW.{second} IS NOT NULL)"
            f" EXECUTE FUNCTION two_persons_guard('{first}', '{second}')"
        )


def downgrade() -> None:
    for table in GUARDED:
        _run(f"DROP TRIGGER two_persons_guard ON {table}")
    _run("DROP FUNCTION two_persons_guard()")
    _run("DROP FUNCTION are_one_person(uuid, uuid)")


def _run(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", "\\:")))
