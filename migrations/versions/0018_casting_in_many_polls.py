"""Ballots of many polls in one call, each poll in a transaction of its own.

Where a city votes in thousands of polls, hardly two casts of a moment are for the same one, and a
call of the slot for each costs more than what it does: a message to the database, a wait, a plan.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# The function of 0004, with places for what is new.
CAST_BALLOTS = """
CREATE OR REPLACE FUNCTION cast_ballots(
    p_poll_id uuid, p_voter_tags bytea[], p_key_tags bytea[], p_ballot_tags bytea[],
    p_admitted boolean[], p_envelope_ids uuid[], p_outers bytea[], p_spends bytea[]
) RETURNS text[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET enable_seqscan = off{settings} AS $$
DECLARE
    is_open boolean;
    token_is_spent boolean[];
    won bigint[] := '{{}}';{declared}
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'ballots are cast under READ COMMITTED only';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(poll_lock(p_poll_id));
    SELECT state = 'open' AND clock_timestamp() >= opens_at AND clock_timestamp() < closes_at
        INTO is_open FROM poll WHERE id = p_poll_id;

{alone}    IF is_open{not_alone} THEN
        IF array_remove(p_spends, NULL) <> '{{}}' THEN
            SELECT array_agg(EXISTS (
                    SELECT 1 FROM spent_token s
                    WHERE s.poll_id = p_poll_id AND s.token_hash = t.token_hash
                ) ORDER BY t.place)
                INTO token_is_spent FROM unnest(p_spends) WITH ORDINALITY AS t (token_hash, place);
        END IF;
        -- One row for each voter; in sorted order, so that two batches cannot wait crosswise.
        WITH candidate AS (
            SELECT DISTINCT ON (voter_tag) voter_tag, key_tag, ballot_tag, place
            FROM unnest(p_voter_tags, p_key_tags, p_ballot_tags, p_admitted)
                WITH ORDINALITY AS t (voter_tag, key_tag, ballot_tag, admitted, place)
            WHERE admitted AND NOT coalesce(token_is_spent[place], false)
            ORDER BY voter_tag, place
        ), inserted AS (
            INSERT INTO participation (poll_id, voter_tag, key_tag, ballot_tag)
            SELECT p_poll_id, voter_tag, key_tag, ballot_tag FROM candidate ORDER BY voter_tag
            ON CONFLICT DO NOTHING
            RETURNING voter_tag
        )
        SELECT coalesce(array_agg(place), '{{}}') INTO won
        FROM inserted JOIN candidate USING (voter_tag);

        INSERT INTO envelope (poll_id, id, "outer")
        SELECT p_poll_id, p_envelope_ids[place], p_outers[place]
        FROM unnest(won) AS w (place) ORDER BY p_envelope_ids[place];

        IF token_is_spent IS NOT NULL THEN
            INSERT INTO spent_token (poll_id, token_hash, expires_at)
            SELECT DISTINCT p_poll_id, p_spends[place], clock_timestamp() + interval '15 minutes'
            FROM unnest(won) AS w (place) WHERE p_spends[place] IS NOT NULL
            ON CONFLICT DO NOTHING;
        END IF;
    END IF;

{all_won}    -- A statement of its own: what another transaction has just won is visible only now.
    RETURN (
        SELECT array_agg(CASE
            WHEN t.place = ANY (won) THEN 'recorded'
            WHEN p.key_tag = t.key_tag AND p.ballot_tag = t.ballot_tag THEN 'replay'
            WHEN p.key_tag = t.key_tag THEN 'key-reused'
            WHEN p.key_tag IS NOT NULL THEN 'already-voted'
            WHEN is_open IS NOT TRUE THEN 'not-open'
            WHEN token_is_spent[t.place] AND t.admitted THEN 'token-spent'
            ELSE 'refused'
        END ORDER BY t.place)
        FROM unnest(p_voter_tags, p_key_tags, p_ballot_tags, p_admitted)
            WITH ORDINALITY AS t (voter_tag, key_tag, ballot_tag, admitted, place)
        LEFT JOIN LATERAL (
            SELECT key_tag, ballot_tag FROM participation
            WHERE poll_id = p_poll_id AND voter_tag = t.voter_tag OFFSET 0
        ) p ON true
    );
END $$
"""
# Its statements are written so that one plan is right for every call; to plan them again for each,
# as PostgreSQL would at first, takes a third of the call's time.
NEW = {
    "settings": "\n    SET plan_cache_mode = force_generic_plan",
    # The usual call where there are many polls, without all that sorts and joins several ballots.
    "alone": """
    is_alone := cardinality(p_voter_tags) = 1 AND p_admitted[1] AND p_spends[1] IS NULL;
    IF is_open AND is_alone THEN
        INSERT INTO participation (poll_id, voter_tag, key_tag, ballot_tag)
            VALUES (p_poll_id, p_voter_tags[1], p_key_tags[1], p_ballot_tags[1])
            ON CONFLICT DO NOTHING;
        IF FOUND THEN
            INSERT INTO envelope (poll_id, id, "outer")
                VALUES (p_poll_id, p_envelope_ids[1], p_outers[1]);
            RETURN ARRAY['recorded'];
        END IF;
    END IF;
""",
    "not_alone": " AND NOT is_alone",
    "declared": "\n    is_alone boolean;",
    "all_won": """
    IF cardinality(won) = cardinality(p_voter_tags) THEN
        RETURN array_fill('recorded'::text, ARRAY[cardinality(won)]);
    END IF;
""",
}
OLD = dict.fromkeys(NEW, "")

# Holds off whoever would close the poll until the end of the transaction; waits for nobody.
POLL_IS_FREE = """
CREATE FUNCTION poll_is_free(p_poll_id uuid) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT pg_try_advisory_xact_lock_shared(poll_lock(p_poll_id))
$$
"""

# Runs as its caller and without settings of its own, or it could not commit; so it names schemas.
CAST_IN_POLLS = """
CREATE PROCEDURE cast_in_polls(
    p_poll_ids uuid[], p_last int[], p_voter_tags bytea[], p_key_tags bytea[],
    p_ballot_tags bytea[], p_admitted boolean[], p_envelope_ids uuid[], p_outers bytea[],
    p_spends bytea[], INOUT outcomes text[]
)
LANGUAGE plpgsql AS $$
DECLARE
    a int := 1;
    z int;
BEGIN
    outcomes := '{}';
    FOR n IN 1 .. cardinality(p_poll_ids) LOOP
        z := p_last[n];
        IF public.poll_is_free(p_poll_ids[n]) THEN
            outcomes := outcomes || public.cast_ballots(
                p_poll_ids[n], p_voter_tags[a:z], p_key_tags[a:z], p_ballot_tags[a:z],
                p_admitted[a:z], p_envelope_ids[a:z], p_outers[a:z], p_spends[a:z]
            );
        ELSE  -- those of other polls are not to wait for this one
            outcomes := outcomes || array_fill(NULL::text, ARRAY[z - a + 1]);
        END IF;
        COMMIT;
        a := z + 1;
    END LOOP;
END $$
"""
IN_POLLS = (
    "cast_in_polls(uuid[], int[], bytea[], bytea[], bytea[], boolean[], uuid[], bytea[], bytea[],"
    " text[])"
)


def upgrade() -> None:
    _put_slot(NEW)
    for body in (POLL_IS_FREE, CAST_IN_POLLS):
        op.execute(sa.text(body.replace(":", "\\:")))
    for routine in ("poll_is_free(uuid)", IN_POLLS):
        op.execute(f"REVOKE ALL ON ROUTINE {routine} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON ROUTINE {routine} TO mvote_api")


def downgrade() -> None:
    op.execute(f"DROP PROCEDURE {IN_POLLS}")
    op.execute("DROP FUNCTION poll_is_free(uuid)")
    _put_slot(OLD)


def _put_slot(parts: dict[str, str]) -> None:
    op.execute(sa.text(CAST_BALLOTS.format(**parts).replace(":", "\\:")))
