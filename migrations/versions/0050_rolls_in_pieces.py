"""A roll of a million is replaced in pieces, and its invitations go with it in one sweep.

A foreign key looked each of them up by itself, both when a roll was written and when it was
deleted: longer than a statement may take. The same is asked now once for all rows of a statement.
"""

from __future__ import annotations

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

PINNED = "SET search_path = pg_catalog, public, pg_temp"

# Locks the poll as whoever replaces its roll does: neither can come between.
INVITED_ARE_ON_THE_ROLL = f"""
CREATE FUNCTION invited_are_on_the_roll() RETURNS trigger LANGUAGE plpgsql
    {PINNED} AS $$
BEGIN
    PERFORM 1 FROM poll WHERE id IN (SELECT poll_id FROM added) FOR KEY SHARE;
    IF EXISTS (
            SELECT 1 FROM added a WHERE NOT EXISTS (
                SELECT 1 FROM roll_entry e WHERE e.poll_id = a.poll_id AND e.entry = a.entry)) THEN
        RAISE EXCEPTION 'only who is on the roll is invited' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$
"""
ROLL_KEPT = f"""
CREATE OR REPLACE FUNCTION roll_kept() RETURNS trigger LANGUAGE plpgsql
    {PINNED} AS $$
BEGIN
    IF EXISTS (
            SELECT 1 FROM (SELECT DISTINCT poll_id FROM gone) g JOIN poll ON poll.id = g.poll_id
            WHERE poll.state NOT IN ('draft', 'published', 'cancelled', 'voided')) THEN
        RAISE EXCEPTION 'the roll is frozen with its poll' USING ERRCODE = 'restrict_violation';
    END IF;{{more}}
    RETURN NULL;
END $$
"""
THEIR_INVITATIONS = """
    DELETE FROM invitation i USING gone g WHERE i.poll_id = g.poll_id AND i.entry = g.entry;"""

BEGIN_ROLL = f"""
CREATE OR REPLACE FUNCTION begin_roll(p_poll_id uuid, p_approval_id uuid, p_by uuid)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER {PINNED} AS $$
DECLARE
    drafted poll;
BEGIN
    SELECT * INTO drafted FROM poll WHERE id = p_poll_id FOR UPDATE;
    IF drafted.state IS DISTINCT FROM 'draft' THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT 1 FROM roll WHERE poll_id = p_poll_id) THEN
        IF drafted.origin = 'government' THEN
            PERFORM grant_approval(p_approval_id, 'poll:replace_roll', p_poll_id, p_by);
        END IF;
        DELETE FROM roll WHERE poll_id = p_poll_id;{{more}}
    END IF;
    RETURN true;
END $$
"""
ITS_ENTRIES = """
        DELETE FROM roll_entry WHERE poll_id = p_poll_id;"""

# A piece of what is left of a roll that was begun anew: entries are spread evenly over all bytes.
CLEAR_ROLL = f"""
CREATE FUNCTION clear_roll(p_poll_id uuid, p_from bytea, p_until bytea) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER {PINNED} AS $$
BEGIN
    PERFORM 1 FROM poll WHERE id = p_poll_id AND state = 'draft' FOR UPDATE;
    IF NOT FOUND OR EXISTS (SELECT 1 FROM roll WHERE poll_id = p_poll_id) THEN
        RETURN false;
    END IF;
    DELETE FROM roll_entry WHERE poll_id = p_poll_id
        AND entry >= p_from AND (p_until IS NULL OR entry < p_until);
    RETURN true;
END $$
"""
CLEAR = "clear_roll(uuid, bytea, bytea)"
FOREIGN_KEY = "fk_invitation_poll_id_entry"


def upgrade() -> None:
    op.drop_constraint(FOREIGN_KEY, "invitation", type_="foreignkey")
    op.execute(INVITED_ARE_ON_THE_ROLL)
    op.execute(
        "CREATE TRIGGER invited_are_on_the_roll AFTER INSERT ON invitation"
        " REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION invited_are_on_the_roll()"
    )
    op.execute(ROLL_KEPT.format(more=THEIR_INVITATIONS))
    op.execute(BEGIN_ROLL.format(more=""))
    op.execute(CLEAR_ROLL)
    op.execute(f"REVOKE ALL ON FUNCTION {CLEAR} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {CLEAR} TO mvote_api")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {CLEAR}")
    op.execute(BEGIN_ROLL.format(more=ITS_ENTRIES))
    op.execute(ROLL_KEPT.format(more=""))
    op.execute("DROP TRIGGER invited_are_on_the_roll ON invitation")
    op.execute("DROP FUNCTION invited_are_on_the_roll()")
    entry = ["poll_id", "entry"]
    op.create_foreign_key(FOREIGN_KEY, "invitation", "roll_entry", entry, entry, ondelete="CASCADE")
