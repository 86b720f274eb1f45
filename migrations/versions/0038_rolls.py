"""Rolls that organisers import: whole or not at all, replaced in drafts only, forgotten at last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

PINNED = "SET search_path = pg_catalog, public, pg_temp"

# For each statement, not for each row: a roll has a million of them.
ROLL_GUARD = f"""
CREATE FUNCTION roll_entries_guard() RETURNS trigger LANGUAGE plpgsql
    {PINNED} AS $$
BEGIN
    IF EXISTS (
            SELECT 1 FROM (SELECT DISTINCT poll_id FROM added) a
            WHERE NOT EXISTS (SELECT 1 FROM poll WHERE id = a.poll_id AND state = 'draft')) THEN
        RAISE EXCEPTION 'the roll is frozen with its poll' USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM added a JOIN roll USING (poll_id)) THEN
        RAISE EXCEPTION 'a roll that is whole takes no more entries'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$
"""
ROLL_KEPT = f"""
CREATE FUNCTION roll_kept() RETURNS trigger LANGUAGE plpgsql
    {PINNED} AS $$
BEGIN
    IF EXISTS (
            SELECT 1 FROM (SELECT DISTINCT poll_id FROM gone) g JOIN poll ON poll.id = g.poll_id
            WHERE poll.state NOT IN ('draft', 'published', 'cancelled', 'voided')) THEN
        RAISE EXCEPTION 'the roll is frozen with its poll' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$
"""
ROLL_WHOLE = f"""
CREATE FUNCTION roll_whole() RETURNS trigger LANGUAGE plpgsql
    {PINNED} AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT 1 FROM poll WHERE id = OLD.poll_id AND state = 'draft') THEN
            RAISE EXCEPTION 'the roll is frozen with its poll' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.forgotten_at IS NOT NULL OR NEW.forgotten_at IS NULL
            OR to_jsonb(NEW) - 'forgotten_at' <> to_jsonb(OLD) - 'forgotten_at' THEN
            RAISE EXCEPTION 'a roll does not change' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM poll WHERE id = NEW.poll_id AND state = 'draft')
        OR NEW.forgotten_at IS NOT NULL
        OR NEW.size <> (SELECT count(*) FROM roll_entry WHERE poll_id = NEW.poll_id) THEN
        RAISE EXCEPTION 'a roll says how many are on it, while its poll is a draft'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# Makes room for a roll; one that a government's poll has goes only with a second officer.
BEGIN_ROLL = f"""
CREATE FUNCTION begin_roll(p_poll_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
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
        DELETE FROM roll WHERE poll_id = p_poll_id;
        DELETE FROM roll_entry WHERE poll_id = p_poll_id;
    END IF;
    RETURN true;
END $$
"""

# Once its key is destroyed nobody can tell any more who was on a roll: then its entries go, too.
FORGET_ROLL = f"""
CREATE FUNCTION forget_roll(p_poll_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER {PINNED} AS $$
DECLARE
    ended poll;
BEGIN
    SELECT * INTO ended FROM poll WHERE id = p_poll_id FOR UPDATE;
    IF (ended.state IN ('published', 'cancelled', 'voided')) IS NOT TRUE THEN
        RETURN false;
    END IF;
    UPDATE roll SET forgotten_at = clock_timestamp()
        WHERE poll_id = p_poll_id AND forgotten_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM roll_entry WHERE poll_id = p_poll_id;
    RETURN true;
END $$
"""
FUNCTIONS = {"begin_roll(uuid, uuid, uuid)": BEGIN_ROLL, "forget_roll(uuid)": FORGET_ROLL}
GUARDS = {
    "roll_entries_guard": ROLL_GUARD,
    "roll_kept": ROLL_KEPT,
    "roll_whole": ROLL_WHOLE,
}
TRIGGERS = (
    (
        "CREATE TRIGGER roll_entries_guard AFTER INSERT ON roll_entry"
        " REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION roll_entries_guard()"
    ),
    (
        "CREATE TRIGGER roll_kept AFTER DELETE ON roll_entry REFERENCING OLD TABLE AS gone"
        " FOR EACH STATEMENT EXECUTE FUNCTION roll_kept()"
    ),
    (
        "CREATE TRIGGER insert_only BEFORE UPDATE ON roll_entry"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    ),
    (
        "CREATE TRIGGER roll_whole BEFORE INSERT OR UPDATE OR DELETE ON roll"
        " FOR EACH ROW EXECUTE FUNCTION roll_whole()"
    ),
)
BEFORE = (
    (
        "CREATE TRIGGER roll_guard BEFORE INSERT ON roll_entry"
        " FOR EACH ROW EXECUTE FUNCTION roll_guard()"
    ),
    (
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON roll_entry"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    ),
)


def upgrade() -> None:
    op.alter_column("roll_entry", "anchor", new_column_name="entry")
    op.execute(
        "ALTER TABLE roll_entry RENAME CONSTRAINT ck_roll_entry_anchor_whole"
        " TO ck_roll_entry_entry_whole"
    )
    _create_table()
    op.execute("DROP TRIGGER roll_guard ON roll_entry")
    op.execute("DROP TRIGGER insert_only ON roll_entry")
    for body in GUARDS.values():
        op.execute(body)
    for trigger in TRIGGERS:
        op.execute(trigger)
    for signature, body in FUNCTIONS.items():
        op.execute(body)
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO mvote_api")
    op.execute("GRANT SELECT, INSERT ON roll TO mvote_api")


def _create_table() -> None:
    op.create_table(
        "roll",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("poll_id", name="pk_roll"),
        sa.CheckConstraint(
            "octet_length(file_sha256) = 32", name=op.f("ck_roll_file_sha256_whole")
        ),
        sa.CheckConstraint("size >= 1", name=op.f("ck_roll_somebody")),
        sa.CheckConstraint(
            "rows >= 0 AND duplicates >= 0 AND rejected >= 0"
            " AND size + duplicates + rejected = rows",
            name=op.f("ck_roll_adds_up"),
        ),
    )


def downgrade() -> None:
    op.drop_table("roll")
    for trigger in ("roll_entries_guard", "roll_kept", "insert_only"):
        op.execute(f"DROP TRIGGER {trigger} ON roll_entry")
    for guard in GUARDS:
        op.execute(f"DROP FUNCTION {guard}()")
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION {signature}")
    op.execute(
        "ALTER TABLE roll_entry RENAME CONSTRAINT ck_roll_entry_entry_whole"
        " TO ck_roll_entry_anchor_whole"
    )
    op.alter_column("roll_entry", "entry", new_column_name="anchor")
    for trigger in BEFORE:
        op.execute(trigger)
