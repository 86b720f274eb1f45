"""Proposals keep to their times in the database, too; what is feasible has a price."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# By the database's clock, whoever asks. A part of a split takes the place of what was in time.
TIMES_GUARD = """
CREATE FUNCTION proposal_times_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    is_over boolean := coalesce(OLD.due_at <= clock_timestamp(), false);
    wanted text[] := CASE WHEN OLD.state = 'draft' THEN ARRAY['proposing']
        ELSE ARRAY['proposing', 'assessing', 'reviewing'] END;
BEGIN
    IF OLD.state = 'returned' AND NEW.state = 'submitted' AND is_over THEN
        RAISE EXCEPTION 'what was returned has lapsed'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'proposal_returned_in_time';
    END IF;
    IF NEW.state = 'appealed' AND is_over THEN
        RAISE EXCEPTION 'the time to appeal is over'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'proposal_appealed_in_time';
    END IF;
    IF NEW.state = 'submitted'
        AND NOT EXISTS (SELECT 1 FROM cycle_phase JOIN cycle ON cycle.id = cycle_phase.cycle_id
            WHERE cycle.id = NEW.cycle_id AND cycle.state = 'running' AND kind = ANY (wanted)
                AND opens_at <= clock_timestamp() AND closes_at > clock_timestamp())
        AND NOT EXISTS (SELECT 1 FROM proposal AS origin
            WHERE origin.id = NEW.split_from AND origin.state = 'split') THEN
        RAISE EXCEPTION 'proposals are taken in their phase'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'proposal_in_its_phase';
    END IF;
    RETURN NEW;
END $$
"""
PRICE = "ck_assessment_feasible_has_price"


def upgrade() -> None:
    op.execute(sa.text(TIMES_GUARD.replace(":", "\\:")))
    op.execute("REVOKE ALL ON FUNCTION proposal_times_guard() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER proposal_times_guard BEFORE UPDATE OF state ON proposal FOR EACH ROW"
        " WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION proposal_times_guard()"
    )
    op.create_check_constraint(op.f(PRICE), "assessment", "assessed_amount > 0 OR NOT is_feasible")


def downgrade() -> None:
    op.drop_constraint(op.f(PRICE), "assessment")
    op.execute("DROP TRIGGER proposal_times_guard ON proposal")
    op.execute("DROP FUNCTION proposal_times_guard()")
