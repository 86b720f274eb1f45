"""Bundles: what the shuffler has signed for the verifier."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mvote.base import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# What is signed as public is public: no bundle before the result may be seen.
BUNDLE_GUARD = """
CREATE FUNCTION bundle_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM poll WHERE id = NEW.poll_id AND state = 'published') THEN
        RAISE EXCEPTION 'there are bundles of published polls only'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# Whenever a state of a published poll's log is signed, its bundle is due.
WANT_BUNDLE = """
CREATE FUNCTION want_bundle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO bundle_wanted (poll_id, since, look_at)
    SELECT id, clock_timestamp(), clock_timestamp()
    FROM poll WHERE id = NEW.poll_id AND state = 'published'
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""

GRANTS = (
    "SELECT, INSERT ON bundle TO mvote_shuffler",
    "SELECT, INSERT, DELETE, UPDATE (look_at) ON bundle_wanted TO mvote_shuffler",
    "SELECT ON receipt_key, published_result, published_record TO mvote_shuffler",
    "SELECT ON bundle TO mvote_api",
    "SELECT, INSERT ON receipt_key TO mvote_api",
)


def upgrade() -> None:
    _create_tables()
    op.execute(BUNDLE_GUARD)
    op.execute(WANT_BUNDLE)
    for table in ("bundle", "receipt_key"):
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION insert_only()"
        )
    op.execute(
        "CREATE TRIGGER bundle_guard BEFORE INSERT ON bundle"
        " FOR EACH ROW EXECUTE FUNCTION bundle_guard()"
    )
    op.execute(
        "CREATE TRIGGER want_bundle AFTER UPDATE OF note ON checkpoint"
        " FOR EACH ROW EXECUTE FUNCTION want_bundle()"
    )
    for grant in GRANTS:
        op.execute(f"GRANT {grant}")


def downgrade() -> None:
    op.execute("DROP TRIGGER want_bundle ON checkpoint")
    for table in ("bundle", "bundle_wanted", "receipt_key"):
        op.drop_table(table)
    for function in ("bundle_guard", "want_bundle"):
        op.execute(f"DROP FUNCTION {function}()")
    op.execute("REVOKE SELECT ON published_result, published_record FROM mvote_shuffler")


def _create_tables() -> None:
    numbers = ("log_size", "city_size", "cosignatures")
    contents = ("keys", "city_checkpoint", "manifest", "signature")
    op.create_table(
        "bundle",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in numbers),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in contents),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", *numbers, name="pk_bundle"),
    )
    op.create_table(
        "bundle_wanted",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("look_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", name="pk_bundle_wanted"),
    )
    op.create_index("ix_bundle_wanted_look_at", "bundle_wanted", ["look_at"])
    op.create_table(
        "receipt_key",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_receipt_key"),
        sa.CheckConstraint("length(public_key) = 32", name=op.f("ck_receipt_key_ed25519")),
    )
