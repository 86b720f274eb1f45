"""The ballot box: its tables, the slot, and the functions that close, count and publish."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mvote.base import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Ballots go into box and log while the poll is closing, records and results while it is closed.
BOX_GUARD = """
CREATE FUNCTION box_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state_now text;
BEGIN
    SELECT state INTO state_now FROM poll WHERE id = NEW.poll_id;
    IF state_now IS DISTINCT FROM TG_ARGV[0] THEN
        RAISE EXCEPTION '% takes rows only while the poll is %', TG_TABLE_NAME, TG_ARGV[0]
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# A sealing key serves one poll, for good.
SEALING_KEY_GUARD = """
CREATE FUNCTION sealing_key_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.poll_id IS NOT NULL OR NEW.public_key <> OLD.public_key THEN
        RAISE EXCEPTION 'a sealing key is given to one poll, once'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# Casting holds the poll's lock shared, closing holds it alone: so no cast is in flight when the
# state flips, and none that waited is let in, because the state is read by a statement of its own,
# whose snapshot is younger than the lock.
# Plans are made when the poll is empty and kept while it fills up: so they must never be the ones
# that suit an empty table only (no sequential scan, and a search by key for each row).
CAST_BALLOTS = """
CREATE FUNCTION cast_ballots(
    p_poll_id uuid, p_voter_tags bytea[], p_key_tags bytea[], p_ballot_tags bytea[],
    p_admitted boolean[], p_envelope_ids uuid[], p_outers bytea[], p_spends bytea[]
) RETURNS text[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET enable_seqscan = off AS $$
DECLARE
    is_open boolean;
    token_is_spent boolean[];
    won bigint[] := '{}';
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'ballots are cast under READ COMMITTED only';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(poll_lock(p_poll_id));
    SELECT state = 'open' AND clock_timestamp() >= opens_at AND clock_timestamp() < closes_at
        INTO is_open FROM poll WHERE id = p_poll_id;

    IF is_open THEN
        IF array_remove(p_spends, NULL) <> '{}' THEN
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
        SELECT coalesce(array_agg(place), '{}') INTO won
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

    -- A statement of its own: what another transaction has just won is visible only now.
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

TOOK_PART = """
CREATE FUNCTION took_part(p_poll_id uuid, p_voter_tag bytea) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM participation WHERE poll_id = p_poll_id AND voter_tag = p_voter_tag
    )
$$
"""

CLOSE_POLL = """
CREATE FUNCTION close_poll(p_poll_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    is_due boolean;
    closing_time timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(poll_lock(p_poll_id));
    SELECT state = 'open' AND clock_timestamp() >= closes_at
        INTO is_due FROM poll WHERE id = p_poll_id;
    IF is_due IS NOT TRUE THEN
        RETURN false;
    END IF;
    closing_time := clock_timestamp();
    UPDATE poll SET state = 'closing', closed_at = closing_time WHERE id = p_poll_id;
    RETURN true;
END $$
"""

FINISH_CLOSING = """
CREATE FUNCTION finish_closing(p_poll_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM envelope WHERE poll_id = p_poll_id) THEN
        RAISE EXCEPTION 'envelopes still wait to be shuffled';
    END IF;
    UPDATE poll SET state = 'closed' WHERE id = p_poll_id AND state = 'closing';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the poll is not closing';
    END IF;
END $$
"""

PARTICIPATION_COUNT = """
CREATE FUNCTION participation_count(p_poll_id uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT count(*) FROM participation WHERE poll_id = p_poll_id
$$
"""

QUARANTINED_COUNT = """
CREATE FUNCTION quarantined_count(p_poll_id uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT count(*) FROM quarantined_envelope WHERE poll_id = p_poll_id
$$
"""

# Publication is no decision of a program: the accounting, a column the database computes, decides.
FINISH_COUNTING = """
CREATE FUNCTION finish_counting(p_poll_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    holds boolean;
    counting_time timestamptz := clock_timestamp();
BEGIN
    SELECT accounting_holds AND participations = participation_count(p_poll_id)
            AND quarantined = quarantined_count(p_poll_id)
            AND records = (SELECT count(*) FROM record WHERE poll_id = p_poll_id)
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

FUNCTIONS = {
    "cast_ballots(uuid, bytea[], bytea[], bytea[], boolean[], uuid[], bytea[], bytea[])": (
        CAST_BALLOTS,
        ("mvote_api",),
    ),
    "took_part(uuid, bytea)": (TOOK_PART, ("mvote_api",)),
    "close_poll(uuid)": (CLOSE_POLL, ("mvote_shuffler",)),
    "finish_closing(uuid)": (FINISH_CLOSING, ("mvote_shuffler",)),
    "participation_count(uuid)": (PARTICIPATION_COUNT, ("mvote_counter",)),
    "quarantined_count(uuid)": (QUARANTINED_COUNT, ("mvote_counter",)),
    "finish_counting(uuid)": (FINISH_COUNTING, ("mvote_counter",)),
}

TABLES = (
    "participation",
    "envelope",
    "quarantined_envelope",
    "box",
    "log_entry",
    "record",
    "result",
    "spent_token",
    "sealing_key",
)

GUARDED_WHILE = {
    "box": "closing",
    "log_entry": "closing",
    "quarantined_envelope": "closing",
    "record": "closed",
    "result": "closed",
}
INSERT_ONLY_TABLES = ("box", "log_entry", "quarantined_envelope", "record", "result")

# Whoever serves the public sees a result when it is published, and not before.
PUBLISHED_RESULT = """
CREATE VIEW published_result WITH (security_barrier) AS
SELECT r.* FROM result r JOIN poll p ON p.id = r.poll_id WHERE p.state = 'published'
"""

PUBLISHED_RECORD = """
CREATE VIEW published_record WITH (security_barrier) AS
SELECT c.* FROM record c JOIN poll p ON p.id = c.poll_id JOIN result r USING (poll_id)
WHERE p.state = 'published' AND r.records_public
"""

# A count that does not add up is shown with its figures, never with its totals.
ACCOUNTING = """
CREATE VIEW accounting WITH (security_barrier) AS
SELECT r.poll_id, r.participations, r.entries, r.records, r.quarantined, r.unopenable,
    r.accounting_holds
FROM result r JOIN poll p ON p.id = r.poll_id
WHERE p.state IN ('counted', 'published', 'voided')
"""

VIEWS = (PUBLISHED_RESULT, PUBLISHED_RECORD, ACCOUNTING)

GRANTS = (
    "SELECT ON log_entry, published_result, published_record, accounting TO mvote_api",
    "SELECT, UPDATE (poll_id) ON sealing_key TO mvote_api",
    "SELECT, DELETE ON spent_token TO mvote_api",
    "SELECT ON alembic_version TO mvote_api",  # /readyz compares it with the migrations at hand
    # Columns, not tables: xmin and ctid would join what was written together.
    'SELECT (poll_id, id, "outer"), DELETE ON envelope TO mvote_shuffler',
    "INSERT ON quarantined_envelope, box TO mvote_shuffler",
    "SELECT, INSERT ON log_entry TO mvote_shuffler",
    "SELECT (poll_id, idx, sealed) ON box TO mvote_counter",
    "SELECT ON log_entry TO mvote_counter",
    "SELECT, INSERT ON sealing_key TO mvote_counter",
    "INSERT ON record, result TO mvote_counter",
    "SELECT (poll_id, voter_tag) ON participation TO mvote_auditor",
)


def _key(name: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("poll_id", *columns, name=f"pk_{name}")


def _poll_id() -> sa.Column[object]:
    return sa.Column("poll_id", sa.Uuid(), nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def upgrade() -> None:
    _create_tables()
    for table in INSERT_ONLY_TABLES:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION insert_only()"
        )
    for function in (BOX_GUARD, SEALING_KEY_GUARD):
        op.execute(function)
    for table, state in GUARDED_WHILE.items():
        op.execute(
            f"CREATE TRIGGER box_guard BEFORE INSERT ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION box_guard('{state}')"
        )
    op.execute(
        "CREATE TRIGGER sealing_key_guard BEFORE UPDATE ON sealing_key"
        " FOR EACH ROW EXECUTE FUNCTION sealing_key_guard()"
    )
    for signature, (body, roles) in FUNCTIONS.items():
        op.execute(sa.text(body.replace(":", "\\:")))
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {', '.join(roles)}")
    for view in VIEWS:
        op.execute(view)
    for grant in GRANTS:
        op.execute(f"GRANT {grant}")


def _create_tables() -> None:
    op.create_table(
        "participation",
        _poll_id(),
        *(_bytes(name) for name in ("voter_tag", "key_tag", "ballot_tag")),
        _key("participation", "voter_tag"),
        sa.CheckConstraint(
            "length(voter_tag) = 16 AND length(key_tag) = 16 AND length(ballot_tag) = 16",
            name=op.f("ck_participation_tags_of_16_bytes"),
        ),
    )
    for name in ("envelope", "quarantined_envelope"):
        identity = sa.Column("id", sa.Uuid(), nullable=False)
        op.create_table(name, _poll_id(), identity, _bytes("outer"), _key(name, "id"))
    op.create_table("box", _poll_id(), _number("idx"), _bytes("sealed"), _key("box", "idx"))
    op.create_table(
        "log_entry",
        _poll_id(),
        _number("idx"),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        _bytes("data"),
        _key("log_entry", "idx"),
        sa.CheckConstraint("kind BETWEEN 0 AND 4", name=op.f("ck_log_entry_kind_known")),
        sa.CheckConstraint("(idx = 0) = (kind = 0)", name=op.f("ck_log_entry_definition_first")),
        sa.CheckConstraint(
            "length(data) = CASE kind WHEN 1 THEN 48 ELSE 32 END",
            name=op.f("ck_log_entry_data_length"),
        ),
    )
    op.create_table("record", _poll_id(), _number("j"), _bytes("vector"), _key("record", "j"))
    counts = ("participations", "entries", "records", "quarantined", "unopenable")
    op.create_table(
        "result",
        _poll_id(),
        _bytes("statement"),
        *(_number(name) for name in counts),
        sa.Column("records_public", sa.Boolean(), nullable=False),
        sa.Column(
            "accounting_holds",
            sa.Boolean(),
            sa.Computed(
                "participations = entries AND entries = records"
                " AND quarantined = 0 AND unopenable = 0",
                persisted=True,
            ),
            nullable=False,
        ),
        _key("result"),
    )
    op.create_table(
        "spent_token",
        _poll_id(),
        _bytes("token_hash"),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        _key("spent_token", "token_hash"),
    )
    op.create_table(
        "sealing_key",
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("poll_id", sa.Uuid()),
        sa.PrimaryKeyConstraint("public_key", name="pk_sealing_key"),
        sa.CheckConstraint("length(public_key) = 32", name=op.f("ck_sealing_key_x25519")),
    )


def downgrade() -> None:
    for view in ("accounting", "published_record", "published_result"):
        op.execute(f"DROP VIEW {view}")
    for signature in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
    for table in reversed(TABLES):
        op.drop_table(table)
    for function in ("box_guard", "sealing_key_guard"):
        op.execute(f"DROP FUNCTION {function}()")
