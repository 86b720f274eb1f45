"""Lots of polls, for winners who are tied; live counts of points, which need larger numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

# Once, before the definition that holds the commitment is frozen.
COMMIT_LOT = """
CREATE FUNCTION commit_lot(p_poll_id uuid) RETURNS bytea
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    drawn bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
        || uuid_send(gen_random_uuid()));
BEGIN
    IF NOT EXISTS (SELECT 1 FROM poll WHERE id = p_poll_id AND state = 'draft') THEN
        RAISE EXCEPTION 'the lot of a poll is drawn before it is frozen'
            USING ERRCODE = 'restrict_violation';
    END IF;
    INSERT INTO poll_lot (poll_id, secret) VALUES (p_poll_id, drawn);
    RETURN sha256(drawn);
END $$
"""

# Only between winners that the published statement names, and once: the notice says it all.
DRAW_TIE = """
CREATE FUNCTION draw_tie(p_poll_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    state_now text;
    drawing_time timestamptz;
    stated bytea;
    tied jsonb;
    secret_now bytea;
    mixed_in text;
    seed bytea;
    in_order jsonb;
BEGIN
    SELECT state INTO state_now FROM poll WHERE id = p_poll_id FOR UPDATE;
    drawing_time := clock_timestamp();
    SELECT statement INTO stated FROM result WHERE poll_id = p_poll_id;
    SELECT secret INTO secret_now FROM poll_lot WHERE poll_id = p_poll_id;
    tied := convert_from(stated, 'UTF8')::jsonb -> 'winners';
    IF state_now IS DISTINCT FROM 'published' OR secret_now IS NULL OR tied IS NULL
        OR jsonb_array_length(tied) < 2 OR EXISTS (
            SELECT 1 FROM notice WHERE poll_id = p_poll_id
                AND convert_from(content, 'UTF8')::jsonb ->> 'kind' = 'draw') THEN
        RETURN false;
    END IF;
    PERFORM grant_approval(p_approval_id, 'poll:draw', p_poll_id, p_by);
    mixed_in := encode(sha256(stated), 'hex');
    seed := sha256(convert_to('mvote/seed/1', 'UTF8') || secret_now
        || convert_to(mixed_in, 'UTF8'));
    SELECT jsonb_agg(key ORDER BY sha256(convert_to('mvote/lot/1', 'UTF8') || seed
            || convert_to(key, 'UTF8')), key)
        INTO in_order FROM jsonb_array_elements_text(tied) AS key;
    PERFORM write_notice(p_poll_id, 'draw', drawing_time, jsonb_build_object(
        'tied', tied, 'secret', encode(secret_now, 'hex'), 'public_value', mixed_in,
        'seed', encode(seed, 'hex'), 'order', in_order, 'winner', in_order -> 0));
    RETURN true;
END $$
"""
FUNCTIONS = {"commit_lot(uuid)": COMMIT_LOT, "draw_tie(uuid, uuid, uuid)": DRAW_TIE}

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


def upgrade() -> None:
    op.create_table(
        "poll_lot",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", name="pk_poll_lot"),
        sa.CheckConstraint("octet_length(secret) = 32", name=op.f("ck_poll_lot_secret_whole")),
    )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON poll_lot"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    )
    for signature, body in FUNCTIONS.items():
        op.execute(sa.text(body.replace(":", "\\:")))
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO mvote_api")
    _totals_as("bigint[]")


def downgrade() -> None:
    _totals_as("integer[]")
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION {signature}")
    op.drop_table("poll_lot")


def _totals_as(kind: str) -> None:
    """The view that shows them stands in the way."""
    op.execute("DROP VIEW live_result")
    op.execute(f"ALTER TABLE live_count ALTER COLUMN totals TYPE {kind}")
    op.execute(sa.text(LIVE_RESULT.replace(":", "\\:")))
    op.execute("GRANT SELECT ON live_result TO mvote_api")
