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

SLOT = "cast_ballots(uuid, bytea[], bytea[], bytea[], boolean[], uuid[], bytea[], bytea[])"

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
    # Its statements are planned so that one plan is right for every call (see 0004); to plan them
    # again for each, as PostgreSQL would at first, takes a third of the call's time.
    op.execute(f"ALTER FUNCTION {SLOT} SET plan_cache_mode = force_generic_plan")
    for body in (POLL_IS_FREE, CAST_IN_POLLS):
        op.execute(sa.text(body.replace(":", "\\:")))
    for routine in ("poll_is_free(uuid)", IN_POLLS):
        op.execute(f"REVOKE ALL ON ROUTINE {routine} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON ROUTINE {routine} TO mvote_api")


def downgrade() -> None:
    op.execute(f"DROP PROCEDURE {IN_POLLS}")
    op.execute("DROP FUNCTION poll_is_free(uuid)")
    op.execute(f"ALTER FUNCTION {SLOT} RESET plan_cache_mode")
