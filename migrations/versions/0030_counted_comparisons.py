"""Comparisons that need single ballots: promised by the frozen question, found by the counter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from mvote.base import UtcDateTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TABLE = "counted_comparison"
FEWEST = 50  # as where full records are shown

# A row for each comparison that voters were told of before; nobody else can ask for one.
PROMISED = """
CREATE FUNCTION promised_comparisons() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO counted_comparison (cycle_id, contest, n, name, poll_id)
        SELECT DISTINCT NEW.cycle_id, NEW.contest, NEW.n, promised.name, p.id
        FROM contest_poll k JOIN poll p ON p.id = k.poll_id
        CROSS JOIN LATERAL
            jsonb_array_elements_text(p.content #> '{question,comparisons}') AS promised (name)
        WHERE k.cycle_id = NEW.cycle_id AND k.contest = NEW.contest AND p.state = 'published';
    RETURN NULL;
END $$
"""

FILLED_ONCE = """
CREATE FUNCTION counted_comparison_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.document IS NOT NULL
        OR (OLD.cycle_id, OLD.contest, OLD.n, OLD.name, OLD.poll_id)
            IS DISTINCT FROM (NEW.cycle_id, NEW.contest, NEW.n, NEW.name, NEW.poll_id) THEN
        RAISE EXCEPTION 'what the counter found is written once'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# For the counter alone, which has unsealed these ballots before: of published polls that promise
# it, and not of a few, whose outcome could tell of one.
RECORDS = f"""
CREATE FUNCTION records_to_compare(p_poll_id uuid) RETURNS SETOF bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.vectors FROM record c
    WHERE c.poll_id = p_poll_id AND EXISTS (
        SELECT 1 FROM poll p JOIN result r ON r.poll_id = p.id
        JOIN counted_comparison d ON d.poll_id = p.id AND d.document IS NULL
        WHERE p.id = p_poll_id AND p.state = 'published' AND r.records >= greatest({FEWEST},
            coalesce((p.content ->> 'publish_from')::integer, 0)))
    ORDER BY c.j
$$
"""
GRANTS = (
    f"SELECT ON {TABLE} TO mvote_api",
    f"SELECT, UPDATE (document, at) ON {TABLE} TO mvote_counter",
    "SELECT (id, definition) ON cycle TO mvote_counter",
    "SELECT (cycle_id, contest, n, document) ON cycle_allocation TO mvote_counter",
    "EXECUTE ON FUNCTION records_to_compare(uuid) TO mvote_counter",
)


def upgrade() -> None:
    _create_table()
    for body in (PROMISED, FILLED_ONCE, RECORDS):
        op.execute(sa.text(body.replace(":", "\\:")))
    for signature in (
        "promised_comparisons()", "counted_comparison_guard()", "records_to_compare(uuid)",
    ):  # fmt: skip
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER promised_comparisons AFTER INSERT ON cycle_allocation"
        " FOR EACH ROW EXECUTE FUNCTION promised_comparisons()"
    )
    op.execute(
        f"CREATE TRIGGER counted_comparison_guard BEFORE UPDATE OR DELETE ON {TABLE}"
        " FOR EACH ROW EXECUTE FUNCTION counted_comparison_guard()"
    )
    for grant in GRANTS:
        op.execute(f"GRANT {grant}")


def _create_table() -> None:
    op.create_table(
        TABLE,
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("contest", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("document", JSONB()),
        sa.Column("at", UtcDateTime()),
        sa.PrimaryKeyConstraint("cycle_id", "contest", "n", "name", name=f"pk_{TABLE}"),
        sa.ForeignKeyConstraint(
            ["cycle_id", "contest", "n"],
            ["cycle_allocation.cycle_id", "cycle_allocation.contest", "cycle_allocation.n"],
            name=f"fk_{TABLE}_cycle_id_contest_n",
        ),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name=f"fk_{TABLE}_poll_id"),
        sa.CheckConstraint(
            "(document IS NULL) = (at IS NULL)", name=op.f(f"ck_{TABLE}_found_at_some_time")
        ),
        sa.CheckConstraint(
            "document ->> 'recountable' = 'false'", name=op.f(f"ck_{TABLE}_not_recountable")
        ),
    )
    op.create_index(
        f"ix_{TABLE}_due", TABLE, ["cycle_id"], postgresql_where=sa.text("document IS NULL")
    )


def downgrade() -> None:
    op.execute("REVOKE SELECT (id, definition) ON cycle FROM mvote_counter")
    op.execute(
        "REVOKE SELECT (cycle_id, contest, n, document) ON cycle_allocation FROM mvote_counter"
    )
    op.execute("DROP TRIGGER promised_comparisons ON cycle_allocation")
    op.drop_table(TABLE)
    for signature in (
        "records_to_compare(uuid)", "counted_comparison_guard()", "promised_comparisons()",
    ):  # fmt: skip
        op.execute(f"DROP FUNCTION {signature}")
