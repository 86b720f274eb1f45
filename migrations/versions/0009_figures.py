"""Figures: live counts, turnout by area and age, records packed many to a row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from mvote.base import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The vectors of a row have one length, which their head tells: 4 bytes, and 2 for each option.
WIDTH = "(4 + 2 * (256 * get_byte(vectors, 2) + get_byte(vectors, 3)))"
PACK = 256

PACKED_RECORD = f"""
CREATE VIEW published_record WITH (security_barrier) AS
SELECT c.poll_id, c.j + place AS j, substr(c.vectors, 1 + place * c.width, c.width) AS vector,
    c.j AS pack
FROM (SELECT *, {WIDTH} AS width FROM record) c
JOIN poll p ON p.id = c.poll_id JOIN result r USING (poll_id)
CROSS JOIN LATERAL generate_series(0, length(c.vectors) / c.width - 1) AS place
WHERE p.state = 'published' AND r.records_public
"""
SINGLE_RECORD = """
CREATE VIEW published_record WITH (security_barrier) AS
SELECT c.* FROM record c JOIN poll p ON p.id = c.poll_id JOIN result r USING (poll_id)
WHERE p.state = 'published' AND r.records_public
"""

# What was counted before there was a second count is held to nothing more.
ACCOUNTING = """
CREATE OR REPLACE VIEW accounting WITH (security_barrier) AS
SELECT r.poll_id, r.participations, r.entries, r.records, r.quarantined, r.unopenable,
    r.accounting_holds AND r.recounted IS NOT FALSE AND r.log_agrees IS NOT FALSE
        AS accounting_holds,
    r.recounted, r.log_agrees
FROM result r JOIN poll p ON p.id = r.poll_id
WHERE p.state IN ('counted', 'published', 'voided')
"""
ACCOUNTING_BEFORE = """
CREATE VIEW accounting WITH (security_barrier) AS
SELECT r.poll_id, r.participations, r.entries, r.records, r.quarantined, r.unopenable,
    r.accounting_holds
FROM result r JOIN poll p ON p.id = r.poll_id
WHERE p.state IN ('counted', 'published', 'voided')
"""

# Publication is no decision of a program: the accounting, which the database computes, decides.
FINISH_COUNTING = """
CREATE OR REPLACE FUNCTION finish_counting(p_poll_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    holds boolean;
    counting_time timestamptz := clock_timestamp();
BEGIN
    SELECT accounting_holds {checks}
            AND participations = participation_count(p_poll_id)
            AND quarantined = quarantined_count(p_poll_id)
            AND records = (SELECT {records} FROM record WHERE poll_id = p_poll_id)
        INTO holds FROM result WHERE poll_id = p_poll_id;
    IF holds IS NULL THEN
        RAISE EXCEPTION 'the poll has no result yet';
    END IF;
    UPDATE poll SET state = 'counted', counted_at = counting_time
        WHERE id = p_poll_id AND state = 'closed';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the poll is not closed';
    END IF;
    IF holds THEN
        UPDATE poll SET state = 'published', published_at = counting_time WHERE id = p_poll_id;
    END IF;
    RETURN holds;
END $$
"""

# A new figure only with a new batch, only while ballots come in, only where it was said before.
LIVE_GUARD = """
CREATE FUNCTION live_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM poll p JOIN poll_definition d ON d.poll_id = p.id
        WHERE p.id = NEW.poll_id AND p.state IN ('open', 'closing')
            AND convert_from(d.canonical, 'UTF8')::jsonb ->> 'results' = 'live'
    ) THEN
        RAISE EXCEPTION 'only a poll with live results is counted before it is closed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM checkpoint WHERE poll_id = NEW.poll_id AND size = NEW.size) THEN
        RAISE EXCEPTION 'a live count is of whole batches' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.poll_id <> OLD.poll_id OR NEW.size <= OLD.size) THEN
        RAISE EXCEPTION 'a live count only goes on' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# Of few ballots not even the web's login sees more than how many they are.
LIVE_RESULT = """
CREATE VIEW live_result WITH (security_barrier) AS
SELECT l.poll_id, l.size, l.ballots,
    CASE WHEN l.ballots >= d.publish_from THEN l.blank END AS blank,
    CASE WHEN l.ballots >= d.publish_from THEN l.totals END AS totals
FROM live_count l JOIN poll p ON p.id = l.poll_id
JOIN LATERAL (
    SELECT (convert_from(canonical, 'UTF8')::jsonb ->> 'publish_from')::integer AS publish_from
    FROM poll_definition WHERE poll_id = l.poll_id
) d ON true
WHERE p.state IN ('open', 'closing')
"""

PUBLISHED_TURNOUT = """
CREATE VIEW published_turnout WITH (security_barrier) AS
SELECT t.* FROM turnout_cell t JOIN poll p ON p.id = t.poll_id WHERE p.state = 'published'
"""

# Of people the auditor sees the anchors, where they live and their year of birth, and no more.
VOTER_ROLL = """
CREATE VIEW voter_roll WITH (security_barrier) AS
SELECT a.citizen_id, a.since, a.anchor, h.lineage AS home_area, (b.value #>> '{}')::integer AS born
FROM anchor a
LEFT JOIN attribute h ON h.citizen_id = a.citizen_id AND h.name = 'home_area'
LEFT JOIN attribute b ON b.citizen_id = a.citizen_id AND b.name = 'birth_year'
"""

VIEWS = ("live_result", "published_turnout", "voter_roll")
TIMES = "id, state, opens_at, frozen_at, closed_at, published_at, cancelled_at"
GRANTS = (
    "INSERT ON record TO mvote_counter",
    "SELECT ON published_record TO mvote_api",
    "SELECT, INSERT, UPDATE ON live_count TO mvote_counter",
    "SELECT, INSERT, UPDATE ON counting_progress TO mvote_counter",
    "SELECT ON live_result, published_turnout, counting_progress TO mvote_api",
    "SELECT, INSERT ON turnout_cell TO mvote_auditor",
    "SELECT ON voter_roll, poll_definition TO mvote_auditor",
    f"SELECT ({TIMES}) ON poll TO mvote_auditor",
)


def upgrade() -> None:
    _add_checks()
    _repack(
        "vectors",
        f"SELECT poll_id, j / {PACK} * {PACK}, string_agg(vector, '' ORDER BY j)"
        f" FROM record_before GROUP BY poll_id, j / {PACK}",
        sa.CheckConstraint(
            "CASE WHEN length(vectors) >= 4 THEN"
            f" length(vectors) % {WIDTH} = 0 AND length(vectors) / {WIDTH} <= {PACK}"
            " ELSE false END",
            name=op.f("ck_record_whole_vectors"),
        ),
    )
    op.execute(PACKED_RECORD)
    op.execute(_finish_counting(packed=True))
    _create_tables()
    for view in (LIVE_RESULT, PUBLISHED_TURNOUT, VOTER_ROLL):
        op.execute(view)
    for grant in GRANTS:
        op.execute(f"GRANT {grant}")


def _add_checks() -> None:
    """Columns of their own: what the accounting's figures are to hold besides adding up."""
    op.add_column("result", sa.Column("recounted", sa.Boolean()))
    op.add_column("result", sa.Column("log_agrees", sa.Boolean()))
    op.execute(ACCOUNTING)


def _finish_counting(*, packed: bool) -> str:
    checks = "AND recounted IS NOT FALSE AND log_agrees IS NOT FALSE" if packed else ""
    records = f"coalesce(sum(length(vectors) / {WIDTH}), 0)" if packed else "count(*)"
    return FINISH_COUNTING.format(checks=checks, records=records)


def _repack(column: str, content: str, *checks: sa.CheckConstraint) -> None:
    """The table of records made anew, with *content* out of what was there."""
    op.execute("DROP VIEW published_record")
    op.execute("ALTER TABLE record RENAME TO record_before")
    op.execute("ALTER INDEX pk_record RENAME TO pk_record_before")
    op.create_table(
        "record",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("j", sa.Integer(), nullable=False),
        sa.Column(column, sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", "j", name="pk_record"),
        *checks,
    )
    op.execute(f"INSERT INTO record {content}")
    op.drop_table("record_before")
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON record"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    )
    op.execute(
        "CREATE TRIGGER box_guard BEFORE INSERT ON record"
        " FOR EACH ROW EXECUTE FUNCTION box_guard('closed')"
    )


def _create_tables() -> None:
    op.create_table(
        "live_count",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        *(_number(name) for name in ("size", "ballots", "blank")),
        sa.Column("totals", ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", name="pk_live_count"),
    )
    op.execute(LIVE_GUARD)
    op.execute(
        "CREATE TRIGGER live_guard BEFORE INSERT OR UPDATE ON live_count"
        " FOR EACH ROW EXECUTE FUNCTION live_guard()"
    )
    op.create_table(
        "counting_progress",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        *(_number(name) for name in ("done", "size")),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", name="pk_counting_progress"),
    )
    op.create_table(
        "turnout_cell",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("dimension", sa.String(), nullable=False),
        sa.Column("cell", sa.String(), nullable=False),
        _number("ballots"),
        sa.PrimaryKeyConstraint("poll_id", "dimension", "cell", name="pk_turnout_cell"),
        sa.CheckConstraint(
            "dimension IN ('area', 'age')", name=op.f("ck_turnout_cell_dimension_known")
        ),
        sa.CheckConstraint(
            "ballots >= 0 AND ballots % 5 = 0", name=op.f("ck_turnout_cell_rounded")
        ),
    )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON turnout_cell"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    )
    op.execute(
        "CREATE TRIGGER box_guard BEFORE INSERT ON turnout_cell"
        " FOR EACH ROW EXECUTE FUNCTION box_guard('published')"
    )


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def downgrade() -> None:
    op.execute("REVOKE SELECT ON poll_definition FROM mvote_auditor")
    op.execute("REVOKE SELECT ON poll FROM mvote_auditor")
    for view in VIEWS:
        op.execute(f"DROP VIEW {view}")
    for table in ("turnout_cell", "counting_progress", "live_count"):
        op.drop_table(table)
    op.execute("DROP FUNCTION live_guard()")
    _repack(
        "vector",
        f"SELECT poll_id, j + place, substr(vectors, 1 + place * {WIDTH}, {WIDTH})"
        f" FROM record_before, generate_series(0, length(vectors) / {WIDTH} - 1) AS place",
    )
    op.execute(SINGLE_RECORD)
    op.execute("GRANT INSERT ON record TO mvote_counter")
    op.execute("GRANT SELECT ON published_record TO mvote_api")
    op.execute(_finish_counting(packed=False))
    op.execute("DROP VIEW accounting")
    op.drop_column("result", "recounted")
    op.drop_column("result", "log_agrees")
    op.execute(ACCOUNTING_BEFORE)
    op.execute("GRANT SELECT ON accounting TO mvote_api")
