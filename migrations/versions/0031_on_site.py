"""On site: codes that rotate, the screens that show them, slips that a steward hands out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mvote.base import UtcDateTime

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

GRANTS = {
    "rotation": "SELECT, INSERT",
    "used_value": "SELECT, INSERT, DELETE",
    "display": "SELECT, INSERT, UPDATE (revoked_at, last_seen_at)",
    "slip_package": "SELECT, INSERT, UPDATE (sealed_slips, exported_at, revoked_at)",
    "slip": "SELECT, INSERT, UPDATE (used)",
}

# A slip admits once, whoever forgets to ask whether it was used.
SLIP_GUARD = """
CREATE FUNCTION slip_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.used THEN
        RAISE EXCEPTION 'a slip is used once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'slip_used_once';
    END IF;
    RETURN NEW;
END $$
"""
# What was revoked or printed stays so.
PACKAGE_GUARD = """
CREATE FUNCTION slip_package_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (OLD.exported_at IS NOT NULL AND NEW.exported_at IS DISTINCT FROM OLD.exported_at)
        OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
        OR (OLD.sealed_slips IS NULL AND NEW.sealed_slips IS NOT NULL) THEN
        RAISE EXCEPTION 'a package of slips is printed once and revoked once'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
DISPLAY_GUARD = """
CREATE FUNCTION display_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'a display that was revoked stays revoked'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
GUARDED = {"slip": SLIP_GUARD, "slip_package": PACKAGE_GUARD, "display": DISPLAY_GUARD}


def upgrade() -> None:
    _kinds("'link', 'rotating', 'steward'")
    _make_rotation()
    _make_display()
    _make_slips()
    for table, guard in GUARDED.items():
        op.execute(guard)
        op.execute(
            f"CREATE TRIGGER {table}_guard BEFORE UPDATE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {table}_guard()"
        )
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO mvote_api")


def downgrade() -> None:
    for table in ("slip", "slip_package", "display", "used_value", "rotation"):
        op.drop_table(table)
    for table in GUARDED:
        op.execute(f"DROP FUNCTION {table}_guard()")
    op.execute("DELETE FROM site_code WHERE kind <> 'link'")
    _kinds("'link'")


def _kinds(listed: str) -> None:
    op.drop_constraint(op.f("ck_site_code_kind_known"), "site_code", type_="check")
    op.create_check_constraint(op.f("ck_site_code_kind_known"), "site_code", f"kind IN ({listed})")


def _make_rotation() -> None:
    op.create_table(
        "rotation",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_rotation"),
        sa.ForeignKeyConstraint(["code"], ["site_code.code"], name="fk_rotation_code"),
        sa.CheckConstraint(
            "octet_length(sealed_secret) = 60", name=op.f("ck_rotation_sealed_secret_length")
        ),
    )
    op.create_table(
        "used_value",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("use_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", "use_hash", name="pk_used_value"),
        sa.CheckConstraint(
            "octet_length(use_hash) = 32", name=op.f("ck_used_value_use_hash_length")
        ),
    )
    op.create_index("ix_used_value_expires_at", "used_value", ["expires_at"])


def _make_display() -> None:
    op.create_table(
        "display",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("poll_id", sa.Uuid()),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("last_seen_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_display"),
        sa.UniqueConstraint("key_hash", name="uq_display_key_hash"),
        sa.CheckConstraint("octet_length(key_hash) = 32", name=op.f("ck_display_key_hash_length")),
    )
    op.create_index("ix_display_site_id", "display", ["site_id"])


def _make_slips() -> None:
    op.create_table(
        "slip_package",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_slips", sa.LargeBinary()),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("exported_at", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_slip_package"),
        sa.ForeignKeyConstraint(["code"], ["site_code.code"], name="fk_slip_package_code"),
        sa.CheckConstraint("size BETWEEN 1 AND 1000", name=op.f("ck_slip_package_size_in_range")),
        sa.CheckConstraint("number BETWEEN 1 AND 50", name=op.f("ck_slip_package_number_in_range")),
        sa.CheckConstraint(
            "(sealed_slips IS NULL) = (exported_at IS NOT NULL OR revoked_at IS NOT NULL)",
            name=op.f("ck_slip_package_plaintext_until_export"),
        ),
    )
    op.create_index("uq_slip_package_code_number", "slip_package", ["code", "number"], unique=True)
    op.create_table(
        "slip",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("slip_hash", sa.LargeBinary(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", "slip_hash", name="pk_slip"),
        sa.ForeignKeyConstraint(["package_id"], ["slip_package.id"], name="fk_slip_package_id"),
        sa.CheckConstraint("octet_length(slip_hash) = 32", name=op.f("ck_slip_slip_hash_length")),
    )
    op.create_index("ix_slip_package_id", "slip", ["package_id"])
