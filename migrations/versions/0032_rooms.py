"""Private rooms: polls that only those find who know a number and a password."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

GUARDS = """
CREATE FUNCTION room_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM poll WHERE id = coalesce(NEW.poll_id, OLD.poll_id)
            AND state <> 'draft') THEN
        RAISE EXCEPTION 'the room of a frozen poll does not change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE FUNCTION private_poll_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.state <> 'draft' THEN
        RAISE EXCEPTION 'a frozen poll stays private or public'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION private_definition_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    says boolean :=
        coalesce((convert_from(NEW.canonical, 'UTF8')::json ->> 'room')::boolean, false);
BEGIN
    IF says <> (SELECT is_private FROM poll WHERE id = NEW.poll_id)
        OR says <> EXISTS (SELECT 1 FROM room WHERE poll_id = NEW.poll_id) THEN
        RAISE EXCEPTION 'a poll is private with a room and a definition that says so'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""
TRIGGERS = (
    ("room_guard", "BEFORE INSERT OR UPDATE OR DELETE ON room", "room_guard"),
    (
        "private_poll_guard",
        "BEFORE UPDATE OF is_private ON poll",
        "private_poll_guard",
    ),
    ("private_definition_guard", "BEFORE INSERT ON poll_definition", "private_definition_guard"),
)


def upgrade() -> None:
    op.add_column(
        "poll",
        sa.Column("is_private", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "room",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", name="pk_room"),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name="fk_room_poll_id_poll"),
        sa.UniqueConstraint("number", name="uq_room_number"),
        sa.CheckConstraint("number ~ '^[0-9]{8}$'", name=op.f("ck_room_number_of_eight_digits")),
        sa.CheckConstraint(
            "password_hash LIKE '$argon2id$%'", name=op.f("ck_room_password_hashed")
        ),
    )
    op.execute(sa.text(GUARDS.replace(":", "\\:")))
    for name, when, function in TRIGGERS:
        op.execute(f"REVOKE ALL ON FUNCTION {function}() FROM PUBLIC")
        changed = " WHEN (OLD.is_private <> NEW.is_private)" if "UPDATE OF" in when else ""
        op.execute(
            f"CREATE TRIGGER {name} {when} FOR EACH ROW{changed} EXECUTE FUNCTION {function}()"
        )
    op.execute("GRANT SELECT, INSERT, UPDATE (password_hash), DELETE ON room TO mvote_api")


def downgrade() -> None:
    for name, when, function in reversed(TRIGGERS):
        op.execute(f"DROP TRIGGER {name} ON {when.rpartition(' ')[2]}")
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("room")
    op.drop_column("poll", "is_private")
