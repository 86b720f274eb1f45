"""Invitations to those on a roll: each number at most once, and gone when its message is sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

# What was claimed is sent, or given up for good; only what was certainly refused waits again.
INVITATION_GUARD = """
CREATE FUNCTION invitation_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (OLD.poll_id, OLD.entry, OLD.token_hash) IS DISTINCT FROM
            (NEW.poll_id, NEW.entry, NEW.token_hash)
        OR OLD.sealed IS DISTINCT FROM NEW.sealed AND NEW.sealed IS NOT NULL
        OR OLD.state || ' ' || NEW.state NOT IN (
            'waiting sending', 'waiting stopped', 'sending sent', 'sending unknown',
            'sending failed', 'sending waiting') THEN
        RAISE EXCEPTION 'an invitation is sent once, and does not change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
RUN_GUARD = """
CREATE FUNCTION invitation_run_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.state IN ('stopped', 'done') THEN
        RAISE EXCEPTION 'the sending of invitations is over' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
TRIGGERS = (
    ("invitation_guard", "invitation"),
    ("invitation_run_guard", "invitation_run"),
)
GRANTS = (
    "SELECT, INSERT, UPDATE (state, sealed, tries, claimed_at) ON invitation TO mvote_api",
    "SELECT, INSERT, UPDATE (state, not_before, finished_at) ON invitation_run TO mvote_api",
)


def upgrade() -> None:
    _create_invitation()
    op.create_table(
        "invitation_run",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("poll_id", name="pk_invitation_run"),
        sa.CheckConstraint(
            "state IN ('running', 'paused', 'stopped', 'done')",
            name=op.f("ck_invitation_run_state_known"),
        ),
        sa.CheckConstraint(
            "language IN ('ko', 'en')", name=op.f("ck_invitation_run_language_known")
        ),
        sa.CheckConstraint(
            "(state IN ('stopped', 'done')) = (finished_at IS NOT NULL)",
            name=op.f("ck_invitation_run_finished_at_its_end"),
        ),
    )
    op.execute(INVITATION_GUARD)
    op.execute(RUN_GUARD)
    for function, table in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {function} BEFORE UPDATE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    for grant in GRANTS:
        op.execute(f"GRANT {grant}")


def _create_invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("poll_id", "entry", name="pk_invitation"),
        sa.ForeignKeyConstraint(
            ["poll_id", "entry"],
            ["roll_entry.poll_id", "roll_entry.entry"],
            name="fk_invitation_poll_id_entry",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "octet_length(token_hash) = 32", name=op.f("ck_invitation_token_hash_whole")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'sent', 'unknown', 'failed', 'stopped')",
            name=op.f("ck_invitation_state_known"),
        ),
        sa.CheckConstraint(
            "(sealed IS NOT NULL) = (state IN ('waiting', 'sending'))",
            name=op.f("ck_invitation_number_until_sent"),
        ),
        sa.CheckConstraint("tries BETWEEN 0 AND 3", name=op.f("ck_invitation_few_tries")),
    )
    op.create_index("ix_invitation_token", "invitation", ["poll_id", "token_hash"], unique=True)
    op.create_index(
        "ix_invitation_waiting",
        "invitation",
        ["poll_id", "entry"],
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )


def downgrade() -> None:
    op.drop_table("invitation_run")
    op.drop_table("invitation")
    for function, _ in TRIGGERS:
        op.execute(f"DROP FUNCTION {function}()")
