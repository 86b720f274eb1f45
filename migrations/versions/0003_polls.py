"""Polls: drafts, frozen definitions, and the trigger that lets nothing move that is frozen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from mvote.base import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATES = "'draft', 'open', 'closing', 'closed', 'counted', 'published', 'cancelled', 'voided'"

POLL_GUARD = """
CREATE FUNCTION poll_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR num_nonnulls(NEW.frozen_at, NEW.closed_at, NEW.counted_at,
                NEW.published_at, NEW.cancelled_at) > 0 THEN
            RAISE EXCEPTION 'a poll begins as a draft' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> NEW.state THEN
        PERFORM poll_moves(OLD, NEW,
            current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID));
    END IF;
    IF OLD.state <> 'draft' AND (OLD.id, OLD.author_id, OLD.department_id, OLD.origin, OLD.content,
            OLD.opens_at, OLD.closes_at, OLD.created_at, OLD.frozen_at)
        IS DISTINCT FROM (NEW.id, NEW.author_id, NEW.department_id, NEW.origin, NEW.content,
            NEW.opens_at, NEW.closes_at, NEW.created_at, NEW.frozen_at) THEN
        RAISE EXCEPTION 'a frozen poll does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (OLD.state = NEW.state OR NEW.state <> 'closing')
            AND OLD.closed_at IS DISTINCT FROM NEW.closed_at
        OR (OLD.state = NEW.state OR NEW.state <> 'counted')
            AND OLD.counted_at IS DISTINCT FROM NEW.counted_at
        OR (OLD.state = NEW.state OR NEW.state <> 'published')
            AND OLD.published_at IS DISTINCT FROM NEW.published_at
        OR (OLD.state = NEW.state OR NEW.state <> 'cancelled')
            AND OLD.cancelled_at IS DISTINCT FROM NEW.cancelled_at THEN
        RAISE EXCEPTION 'the times of a poll are set once, by what they are the times of'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

POLL_MOVES = """
CREATE FUNCTION poll_moves(before poll, after poll, by_the_box boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF (before.state, after.state) NOT IN (
        ('draft', 'open'), ('draft', 'cancelled'), ('open', 'cancelled'),
        ('open', 'closing'), ('closing', 'closed'), ('closed', 'counted'),
        ('counted', 'published'),
        ('open', 'voided'), ('closing', 'voided'), ('closed', 'voided'), ('counted', 'voided')
    ) THEN
        RAISE EXCEPTION 'a poll never goes from % to %', before.state, after.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    -- What follows opening is done by the functions of the ballot box, which run as the owner.
    IF after.state NOT IN ('open', 'cancelled') AND NOT by_the_box THEN
        RAISE EXCEPTION 'only the ballot box itself closes, counts, publishes and voids'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF after.state = 'open'
        AND NOT EXISTS (SELECT 1 FROM poll_definition WHERE poll_id = after.id) THEN
        RAISE EXCEPTION 'a poll opens with its definition' USING ERRCODE = 'restrict_violation';
    END IF;
    IF before.state = 'open' THEN
        -- Casts in flight end first; the clock is read after the wait.
        PERFORM pg_advisory_xact_lock(poll_lock(before.id));
        IF after.state = 'cancelled' AND clock_timestamp() >= before.opens_at THEN
            RAISE EXCEPTION 'a poll that voting has begun in is not cancelled'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'poll_cancelled_before_voting';
        END IF;
    END IF;
END $$
"""

POLL_LOCK = """
CREATE FUNCTION poll_lock(p_poll_id uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT hashtextextended(p_poll_id::text, 7076746) $$
"""

DEFINITION_GUARD = """
CREATE FUNCTION definition_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM poll WHERE id = NEW.poll_id AND state = 'draft') THEN
        RAISE EXCEPTION 'only a draft gets a definition' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

INSERT_ONLY = """
CREATE FUNCTION insert_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

GEOFENCE_GUARD = """
CREATE FUNCTION geofence_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM poll WHERE id = OLD.poll_id AND state <> 'draft') THEN
        RAISE EXCEPTION 'the area of a frozen poll does not change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "poll",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid()),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("opens_at", UtcDateTime()),
        sa.Column("closes_at", UtcDateTime()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("frozen_at", UtcDateTime()),
        sa.Column("closed_at", UtcDateTime()),
        sa.Column("counted_at", UtcDateTime()),
        sa.Column("published_at", UtcDateTime()),
        sa.Column("cancelled_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_poll"),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_poll_state_known")),
        sa.CheckConstraint(
            "origin IN ('citizen', 'government')", name=op.f("ck_poll_origin_known")
        ),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_poll_opens_before_it_closes")),
        sa.CheckConstraint(
            "state IN ('draft', 'cancelled')"
            " OR (frozen_at IS NOT NULL AND opens_at IS NOT NULL AND closes_at IS NOT NULL)",
            name=op.f("ck_poll_frozen_with_a_period"),
        ),
        sa.CheckConstraint(
            "(state IN ('closing', 'closed', 'counted', 'published')) <= (closed_at IS NOT NULL)",
            name=op.f("ck_poll_closed_has_closed_at"),
        ),
        sa.CheckConstraint(
            "(state = 'published') = (published_at IS NOT NULL)",
            name=op.f("ck_poll_published_has_published_at"),
        ),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_at IS NOT NULL)",
            name=op.f("ck_poll_cancelled_has_cancelled_at"),
        ),
    )
    op.create_index("ix_poll_author_id_created_at", "poll", ["author_id", "created_at"])
    op.create_index(
        "ix_poll_due",
        "poll",
        ["closes_at"],
        postgresql_where=sa.text("state IN ('open', 'closing')"),
    )
    op.create_table(
        "poll_definition",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", name="pk_poll_definition"),
        sa.CheckConstraint(
            "hash = sha256(canonical)", name=op.f("ck_poll_definition_hash_is_of_the_bytes")
        ),
    )
    functions = (POLL_LOCK, POLL_MOVES, POLL_GUARD, INSERT_ONLY, DEFINITION_GUARD, GEOFENCE_GUARD)
    for function in functions:
        op.execute(function)
    op.execute(
        "CREATE TRIGGER poll_guard BEFORE INSERT OR UPDATE ON poll"
        " FOR EACH ROW EXECUTE FUNCTION poll_guard()"
    )
    op.execute(
        "CREATE TRIGGER definition_guard BEFORE INSERT ON poll_definition"
        " FOR EACH ROW EXECUTE FUNCTION definition_guard()"
    )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON poll_definition"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    )
    op.execute(
        "CREATE TRIGGER geofence_guard BEFORE UPDATE OR DELETE ON geofence"
        " FOR EACH ROW EXECUTE FUNCTION geofence_guard()"
    )
    for signature in ("poll_lock(uuid)", "poll_moves(poll, poll, boolean)"):
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO mvote_api")
    op.execute("GRANT SELECT, INSERT, UPDATE ON poll TO mvote_api")
    op.execute("GRANT SELECT, INSERT ON poll_definition TO mvote_api")
    op.execute("GRANT SELECT ON poll, poll_definition TO mvote_shuffler, mvote_counter")


def downgrade() -> None:
    op.execute("DROP TRIGGER geofence_guard ON geofence")
    op.drop_table("poll_definition")
    op.execute("DROP TRIGGER poll_guard ON poll")
    op.execute("DROP FUNCTION poll_moves(poll, poll, boolean)")
    op.drop_table("poll")
    for function in ("geofence_guard", "definition_guard", "insert_only", "poll_guard"):
        op.execute(f"DROP FUNCTION {function}()")
    op.execute("DROP FUNCTION poll_lock(uuid)")
