"""Nobody loses a seat by one officer alone, who could so choose who votes on an open motion."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

# The seat, the grant, the end of the membership: all or nothing. False once it has ended.
VACATE_SEAT = """
CREATE FUNCTION vacate_seat(p_seat_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM seat WHERE id = p_seat_id AND state = 'filled' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM grant_approval(p_approval_id, 'seat:vacate', p_seat_id, p_by);
    UPDATE seat SET state = 'vacant', vacated_at = clock_timestamp() WHERE id = p_seat_id;
    RETURN true;
END $$
"""
FUNCTION = "vacate_seat(uuid, uuid, uuid)"


def upgrade() -> None:
    op.execute(sa.text(VACATE_SEAT.replace(":", "\\:")))
    op.execute(f"REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {FUNCTION} TO mvote_api")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {FUNCTION}")
