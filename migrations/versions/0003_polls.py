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
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('draft', 'open'), ('draft', 'cancelled'), ('open', 'cancelled'),
        ('open', 'closing'), ('closing', 'closed'), ('closed', 'counted'),
        ('counted', 'published'),
        ('open', 'voided'), ('closing', 'voided'), ('closed', 'voided'), ('counted', 'voided')
    ) THEN
        RAISE EXCEPTION 'a poll never goes from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    -- What follows opening is done by the functions of the ballot box, which run as the owner.
    IF NEW.state <> OLD.state AND NEW.state IN ('closing', 'closed', 'counted', 'published')
        AND current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
    THEN
        RAISE EXCEPTION 'only the ballot box itself closes, counts and publishes'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.state = 'open' AND NEW.state = 'cancelled' AND clock_timestamp() >= OLD.opens_at THEN
        RAISE EXCEPTION 'a poll that voting has begun in is not cancelled'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'draft' AND (OLD.id, OLD.author_id, OLD.department_id, OLD.origin, OLD.content,
            OLD.opens_at, OLD.closes_at, OLD.created_at, OLD.frozen_at)
        IS DISTINCT FROM (NEW.id, NEW.author_id, NEW.department_id, NEW.origin, NEW.content,
            NEW.opens_at, NEW.closes_at, NEW.created_at, NEW.frozen_at) THEN
        RAISE EXCEPTION 'a frozen poll does not change' USING ERRCODE = 'restrict_violation';
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
    for function in (POLL_GUARD, INSERT_ONLY, GEOFENCE_GUARD):
        op.execute(function)
    op.execute(
        "CREATE TRIGGER poll_guard BEFORE UPDATE ON poll FOR EACH ROW EXECUTE FUNCTION poll_guard()"
    )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON poll_definition"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    )
    op.execute(
        "CREATE TRIGGER geofence_guard BEFORE UPDATE OR DELETE ON geofence"
        " FOR EACH ROW EXECUTE FUNCTION geofence_guard()"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON poll TO mvote_api")
    op.execute("GRANT SELECT, INSERT ON poll_definition TO mvote_api")
    op.execute("GRANT SELECT ON poll, poll_definition TO mvote_shuffler, mvote_counter")


def downgrade() -> None:
    op.execute("DROP TRIGGER geofence_guard ON geofence")
    op.drop_table("poll_definition")
    op.drop_table("poll")
    for function in ("geofence_guard", "insert_only", "poll_guard"):
        op.execute(f"DROP FUNCTION {function}()")
