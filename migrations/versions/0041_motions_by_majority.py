"""A motion is carried or lost by the majority of the cycle, and the database reckons, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# Exactly: "n/m" of a whole; what a cycle leaves open is a half.
MORE_THAN = """
CREATE FUNCTION more_than(p_part integer, p_whole integer, p_share text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p_part * split_part(share, '/', 2)::numeric
        > p_whole * split_part(share, '/', 1)::numeric
    FROM (SELECT coalesce(p_share, '1/2') AS share) said
$$
"""
# The guard of 0024, and the majority. Which seats are recused and whose term runs the program
# says; more than there are seats, or votes, it cannot say.
MOTION_GUARD = """
CREATE OR REPLACE FUNCTION motion_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
{declared}BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'a motion begins open' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.state <> 'open'
        OR (OLD.id, OLD.cycle_id, OLD.contest, OLD.allocation_n, OLD.committee_id, OLD.changes,
            OLD.laid_by, OLD.laid_at) IS DISTINCT FROM
           (NEW.id, NEW.cycle_id, NEW.contest, NEW.allocation_n, NEW.committee_id, NEW.changes,
            NEW.laid_by, NEW.laid_at) THEN
        RAISE EXCEPTION 'a motion is judged once, as it was laid'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'motion_is_open';
    END IF;
    IF EXISTS (
        SELECT 1 FROM (VALUES ('yes', NEW.yes), ('no', NEW.no), ('abstain', NEW.abstain))
            AS counted (vote, seats)
        WHERE seats > (SELECT count(*) FROM motion_vote v
            WHERE v.motion_id = NEW.id AND v.vote = counted.vote)
    ) THEN
        RAISE EXCEPTION 'only votes that were cast are counted'
            USING ERRCODE = 'restrict_violation';
    END IF;{majority}
    RETURN NEW;
END $$
"""
DECLARED = """DECLARE
    review jsonb;
    present integer := NEW.yes + NEW.no + NEW.abstain;
"""
MAJORITY = """
    IF NEW.state NOT IN ('carried', 'lost') THEN
        RETURN NEW;
    END IF;
    review := (SELECT definition -> 'review' FROM cycle WHERE id = NEW.cycle_id);
    IF (NEW.entitled <= (SELECT count(*) FROM seat
                WHERE committee_id = NEW.committee_id AND state = 'filled' AND has_vote)
            AND NEW.entitled >= coalesce((review #>> '{quorum,floor}')::integer, 1)
            AND more_than(present, NEW.entitled, review #>> '{quorum,more_than}')
            AND (NEW.state = 'carried')
                = more_than(NEW.yes, present, review #>> '{carried,more_than}')) IS NOT TRUE THEN
        RAISE EXCEPTION 'a motion is carried or lost by a quorum and its majority'
            USING ERRCODE = 'restrict_violation';
    END IF;"""


def upgrade() -> None:
    _run(MORE_THAN)
    op.execute("REVOKE ALL ON FUNCTION more_than(integer, integer, text) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION more_than(integer, integer, text) TO mvote_api")
    _run(MOTION_GUARD.format(declared=DECLARED, majority=MAJORITY))


def downgrade() -> None:
    _run(MOTION_GUARD.format(declared="", majority=""))
    op.execute("DROP FUNCTION more_than(integer, integer, text)")


def _run(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", "\\:")))
