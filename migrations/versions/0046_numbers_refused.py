"""Invitations to numbers that the gateway refuses for good, told from a gateway that is ill."""

from __future__ import annotations

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

BEFORE = ("waiting", "sending", "sent", "unknown", "failed", "stopped")
INVITATION_GUARD = """
CREATE OR REPLACE FUNCTION invitation_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (OLD.poll_id, OLD.entry, OLD.token_hash) IS DISTINCT FROM
            (NEW.poll_id, NEW.entry, NEW.token_hash)
        OR OLD.sealed IS DISTINCT FROM NEW.sealed AND NEW.sealed IS NOT NULL
        OR OLD.state || ' ' || NEW.state NOT IN (
            'waiting sending', 'waiting stopped', 'sending sent', 'sending unknown',
            'sending failed', {more}'sending waiting') THEN
        RAISE EXCEPTION 'an invitation is sent once, and does not change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    _know((*BEFORE, "refused"))
    op.execute(INVITATION_GUARD.format(more="'sending refused', "))


def downgrade() -> None:
    """What was refused counts as failed again."""
    op.execute(INVITATION_GUARD.format(more=""))
    op.execute("ALTER TABLE invitation DISABLE TRIGGER USER")
    op.execute("UPDATE invitation SET state = 'failed' WHERE state = 'refused'")
    op.execute("ALTER TABLE invitation ENABLE TRIGGER USER")
    _know(BEFORE)


def _know(states: tuple[str, ...]) -> None:
    name = op.f("ck_invitation_state_known")
    op.drop_constraint(name, "invitation", type_="check")
    known = ", ".join(f"'{state}'" for state in states)
    op.create_check_constraint(name, "invitation", f"state IN ({known})")
