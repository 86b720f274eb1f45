"""Trustees: sealing keys made in a ceremony, and the proof of their drill."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mvote.base import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# A trustees' key serves one poll, for good, like a sealing key; and what it is never changes.
TRUSTEE_KEY_GUARD = """
CREATE FUNCTION trustee_key_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.poll_id IS NOT NULL THEN
            RAISE EXCEPTION 'a trustees'' key is imported before a poll takes it'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.poll_id IS NOT NULL
        OR (NEW.public_key, NEW.record, NEW.drilled_at)
            IS DISTINCT FROM (OLD.public_key, OLD.record, OLD.drilled_at) THEN
        RAISE EXCEPTION 'a trustees'' key is given to one poll, once'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

GRANTS = (
    "SELECT, INSERT, UPDATE (poll_id) ON trustee_key TO mvote_api",
    "SELECT ON trustee_key TO mvote_counter",
    # appeals begin anew with a notice: the counter destroys the sealing key when they are over
    "SELECT ON notice TO mvote_counter",
)


def upgrade() -> None:
    op.create_table(
        "trustee_key",
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("drilled_at", UtcDateTime(), nullable=False),
        sa.Column("poll_id", sa.Uuid()),
        sa.PrimaryKeyConstraint("public_key", name="pk_trustee_key"),
        sa.UniqueConstraint("poll_id", name="uq_trustee_key_poll_id"),
        sa.CheckConstraint("length(public_key) = 32", name=op.f("ck_trustee_key_x25519")),
    )
    op.execute(TRUSTEE_KEY_GUARD)
    op.execute(
        "CREATE TRIGGER trustee_key_guard BEFORE INSERT OR UPDATE OR DELETE ON trustee_key"
        " FOR EACH ROW EXECUTE FUNCTION trustee_key_guard()"
    )
    for grant in GRANTS:
        op.execute(f"GRANT {grant}")


def downgrade() -> None:
    op.execute("REVOKE SELECT ON notice FROM mvote_counter")
    op.drop_table("trustee_key")
    op.execute("DROP FUNCTION trustee_key_guard()")
