"""What somebody said in all the reviews they took part in: for themselves to take away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# Their own alone, the recused's, too: what nobody else reads any more is still theirs.
OWN_OPINIONS = """
CREATE FUNCTION own_opinions(p_citizen_id uuid)
RETURNS TABLE (proposal_id uuid, committee_id uuid, round integer, scores jsonb, comment jsonb,
    at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT review.proposal_id, review.committee_id, opinion.round, opinion.scores,
        opinion.comment, opinion.at
    FROM seat
        JOIN opinion ON opinion.seat_id = seat.id
        JOIN review ON review.id = opinion.review_id
    WHERE seat.citizen_id = p_citizen_id
    ORDER BY review.id, opinion.round
$$
"""
NAME = "own_opinions(uuid)"


def upgrade() -> None:
    op.execute(sa.text(OWN_OPINIONS))
    op.execute(f"REVOKE ALL ON FUNCTION {NAME} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {NAME} TO mvote_api")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {NAME}")
