"""A contest whose polls were all declared void is waited for no longer than balloting lasts.

Until now it was waited for for ever: its projects stayed on a ballot that nobody could cast any
more. Behind the planned end of balloting no poll can be made anew, so that nobody who might still
vote sees the lot and the statements of a contest early.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

BROUGHT = "EXISTS (SELECT 1 FROM asked WHERE state = 'published')"
OR_VOID = """(EXISTS (SELECT 1 FROM asked WHERE state = 'published')
                OR is_planned AND EXISTS (SELECT 1 FROM asked WHERE state = 'voided'))"""
IS_OVER = "SELECT coalesce(bool_and(closes_at <= clock_timestamp()), true) AS is_over"
UNRELEASED_SOURCES = """
CREATE OR REPLACE FUNCTION unreleased_sources(p_cycle_id uuid, p_contest text) RETURNS SETOF text
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH polled AS (
        SELECT source ->> 'key' AS key, place
        FROM cycle, jsonb_array_elements(definition -> 'contests') contest,
            jsonb_array_elements(contest -> 'sources') WITH ORDINALITY AS sources (source, place)
        WHERE id = p_cycle_id AND contest ->> 'key' = p_contest
            AND coalesce(source ->> 'kind', 'poll') = 'poll'
    ), asked AS (
        SELECT DISTINCT ON (c.source) c.source, p.state
        FROM contest_poll c JOIN poll p ON p.id = c.poll_id
        WHERE c.cycle_id = p_cycle_id AND c.contest = p_contest ORDER BY c.source, c.n DESC
    ), balloting AS (
        {is_over}
        FROM cycle_phase WHERE cycle_id = p_cycle_id AND kind = 'balloting'
    )
    SELECT key FROM polled LEFT JOIN asked ON source = key, balloting
    WHERE CASE coalesce(state, 'voided')
        WHEN 'published' THEN false
        WHEN 'voided' THEN NOT is_over OR NOT {brought}
        WHEN 'cancelled' THEN NOT is_over
            OR NOT {brought}
        ELSE true
    END
    ORDER BY place
$$
"""


def upgrade() -> None:
    _put(is_over=f"{IS_OVER},\n            count(*) > 0 AS is_planned", brought=OR_VOID)


def downgrade() -> None:
    _put(is_over=IS_OVER, brought=BROUGHT)


def _put(**words: str) -> None:
    op.execute(sa.text(UNRELEASED_SOURCES.format(**words).replace(":", "\\:")))
