"""Phones that a platform vouches for: keys whose counter only grows, and which accounts use them.

An account stands there as a keyed hash, a use as a day.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

DEVICE_KEY_GUARD = """
CREATE FUNCTION device_key_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (OLD.digest, OLD.point, OLD.environment)
            IS DISTINCT FROM (NEW.digest, NEW.point, NEW.environment)
        OR NEW.counter <= OLD.counter THEN
        RAISE EXCEPTION 'the key of a phone stays, and its counter only grows'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER device_key_guard BEFORE UPDATE ON device_key
    FOR EACH ROW EXECUTE FUNCTION device_key_guard()
"""
GRANTS = (
    "SELECT, INSERT, DELETE, UPDATE (counter) ON device_key TO mvote_api",
    "SELECT, INSERT, DELETE, UPDATE (last_used_on) ON device TO mvote_api",
)


def upgrade() -> None:
    op.create_table(
        "device_key",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("point", sa.LargeBinary(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_device_key"),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_device_key_digest_whole")),
        sa.CheckConstraint(
            "environment IN ('development', 'production')",
            name=op.f("ck_device_key_environment_known"),
        ),
        sa.CheckConstraint(
            "octet_length(point) = 65", name=op.f("ck_device_key_point_uncompressed")
        ),
        sa.CheckConstraint(
            "counter BETWEEN 0 AND 4294967295", name=op.f("ck_device_key_counter_in_range")
        ),
    )
    _create_device()
    op.execute(DEVICE_KEY_GUARD)
    op.execute(TRIGGER)
    for grant in GRANTS:
        op.execute(f"GRANT {grant}")


def _create_device() -> None:
    op.create_table(
        "device",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("owner_tag", sa.LargeBinary(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("last_used_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
        sa.UniqueConstraint("key_digest", "owner_tag", name="uq_device_key_digest_owner_tag"),
        sa.CheckConstraint(
            "octet_length(key_digest) = 32", name=op.f("ck_device_key_digest_whole")
        ),
        sa.CheckConstraint("octet_length(owner_tag) = 32", name=op.f("ck_device_owner_tag_whole")),
        sa.CheckConstraint(
            "platform IN ('app-attest', 'play-integrity', 'development')",
            name=op.f("ck_device_platform_known"),
        ),
        sa.CheckConstraint(
            "registered_on <= last_used_on", name=op.f("ck_device_used_since_registered")
        ),
    )
    op.create_index("ix_device_owner_tag", "device", ["owner_tag"])
    op.create_index("ix_device_last_used_on", "device", ["last_used_on"])


def downgrade() -> None:
    op.drop_table("device")
    op.drop_table("device_key")
    op.execute("DROP FUNCTION device_key_guard()")
