"""The log: trees, checkpoints, cosignatures, shuffling while a poll is open.

Logs that exist get their tree here, with one unsigned checkpoint over all their entries; a poll
that has none yet gets both with its first shuffle. The arithmetic of RFC 9162 is written out once
more below: a migration must do in ten years what it does today, whatever becomes of the modules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from mvote.base import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CITY = "'00000000-0000-0000-0000-000000000000'"
TILE_WIDTH = 32

# Only what was published is hashed: few ballots could be guessed from the hash of their totals.
STATEMENT_HASH = """
CREATE FUNCTION statement_hash(p_poll_id uuid) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT sha256(r.statement) FROM result r JOIN poll p ON p.id = r.poll_id
    WHERE r.poll_id = p_poll_id AND p.state = 'published'
$$
"""

# Ballots are shuffled in while a poll is open or closing, and out of a voided poll's envelopes.
BALLOT_GUARD = """
CREATE FUNCTION ballot_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state_now text;
BEGIN
    SELECT state INTO state_now FROM poll WHERE id = NEW.poll_id;
    IF state_now IN ('open', 'closing') THEN
        RETURN NEW;
    END IF;
    IF state_now = 'voided' AND EXISTS (SELECT 1 FROM envelope WHERE poll_id = NEW.poll_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% takes ballots only while some may wait', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""

LOG_GUARD = f"""
CREATE FUNCTION log_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.idx > 0 AND NOT EXISTS (
            SELECT 1 FROM log_entry WHERE poll_id = NEW.poll_id AND idx = NEW.idx - 1) THEN
        RAISE EXCEPTION 'a log begins at 0 and has no gaps' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.poll_id = {CITY} OR NEW.kind = 1 THEN
        RETURN NEW;
    END IF;
    IF (CASE NEW.kind
        WHEN 0 THEN EXISTS (
            SELECT 1 FROM poll_definition d WHERE d.poll_id = NEW.poll_id AND d.hash = NEW.data)
        WHEN 3 THEN EXISTS (
            SELECT 1 FROM poll WHERE id = NEW.poll_id AND frozen_at IS NOT NULL)
        WHEN 4 THEN NEW.data = statement_hash(NEW.poll_id)
    END) IS NOT TRUE THEN
        RAISE EXCEPTION 'the log does not take an entry of kind % now', NEW.kind
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

TILE_GUARD = """
CREATE FUNCTION tile_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.poll_id, NEW.level, NEW.n) IS DISTINCT FROM (OLD.poll_id, OLD.level, OLD.n)
        OR length(NEW.hashes) <= length(OLD.hashes)
        OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes THEN
        RAISE EXCEPTION 'a tile of the tree only grows' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

CHECKPOINT_GUARD = """
CREATE FUNCTION checkpoint_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.size IS DISTINCT FROM (
                SELECT max(idx) + 1 FROM log_entry WHERE poll_id = NEW.poll_id) THEN
            RAISE EXCEPTION 'a checkpoint is of the whole log'
                USING ERRCODE = 'restrict_violation';
        END IF;
    ELSIF OLD.note IS NOT NULL
        OR (NEW.poll_id, NEW.size, NEW.root) IS DISTINCT FROM (OLD.poll_id, OLD.size, OLD.root)
    THEN
        RAISE EXCEPTION 'a checkpoint is signed once and never changes'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

FUNCTIONS = (STATEMENT_HASH, BALLOT_GUARD, LOG_GUARD, TILE_GUARD, CHECKPOINT_GUARD)

#: function, table, when, on which condition
TRIGGERS = (
    ("ballot_guard", "box", "INSERT", ""),
    ("ballot_guard", "quarantined_envelope", "INSERT", ""),
    ("ballot_guard", "log_entry", "INSERT", "WHEN (NEW.kind = 1)"),
    ("log_guard", "log_entry", "INSERT", ""),
    ("tile_guard", "tree_tile", "UPDATE", ""),
    ("checkpoint_guard", "checkpoint", "INSERT OR UPDATE", ""),
    ("insert_only", "tree_tile", "DELETE", ""),
    ("insert_only", "checkpoint", "DELETE", ""),
    ("insert_only", "cosignature", "UPDATE OR DELETE", ""),
    ("insert_only", "log_key", "UPDATE OR DELETE", ""),
)

GRANTS = (
    "SELECT, INSERT, UPDATE (hashes) ON tree_tile TO mvote_shuffler",
    "SELECT, INSERT, UPDATE (note) ON checkpoint TO mvote_shuffler",
    "SELECT, INSERT ON cosignature, log_key TO mvote_shuffler",
    "EXECUTE ON FUNCTION statement_hash(uuid) TO mvote_shuffler",
    "SELECT ON tree_tile, checkpoint, cosignature, log_key TO mvote_api",
    "SELECT ON checkpoint TO mvote_counter",
)

GUARDED_BEFORE = ("box", "log_entry", "quarantined_envelope")
CHECKS = {
    "kind_known": ("kind BETWEEN 0 AND 4", "kind BETWEEN 0 AND 5"),
    "definition_first": (
        "(idx = 0) = (kind = 0)",
        f"(idx = 0 AND poll_id <> {CITY}) = (kind = 0)",
    ),
    "data_length": (
        "length(data) = CASE kind WHEN 1 THEN 48 ELSE 32 END",
        "length(data) = CASE kind WHEN 1 THEN 48 WHEN 5 THEN 56 ELSE 32 END",
    ),
}

# Each size of a poll's log (16 bytes id, 8 bytes size) comes into the city's log once.
CITY_INDEX = (
    "CREATE UNIQUE INDEX uq_log_entry_city ON log_entry (poll_id, substr(data, 1, 24))"
    " WHERE kind = 5"
)


def upgrade() -> None:
    _create_tables()
    for name, (_, condition) in CHECKS.items():
        _replace_check(name, condition)
    op.create_check_constraint(
        op.f("ck_log_entry_checkpoints_in_the_city"),
        "log_entry",
        f"(poll_id = {CITY}) = (kind = 5)",
    )
    op.execute(CITY_INDEX)
    # A ballot is looked up by its tracker; a hash index takes less room than the trackers would.
    op.create_index(
        "ix_log_entry_tracker",
        "log_entry",
        [sa.text("substr(data, 1, 16)")],
        postgresql_using="hash",
        postgresql_where=sa.text("kind = 1"),
    )
    op.create_index(
        "ix_log_entry_acts",
        "log_entry",
        ["poll_id", "kind", "idx"],
        postgresql_where=sa.text("kind IN (0, 3, 4)"),
    )
    for table in GUARDED_BEFORE:
        op.execute(f"DROP TRIGGER box_guard ON {table}")
    for function in FUNCTIONS:
        op.execute(sa.text(function.replace(":", "\\:")))
    op.execute("REVOKE ALL ON FUNCTION statement_hash(uuid) FROM PUBLIC")
    for name, table, event, condition in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {condition}"
            f" EXECUTE FUNCTION {name}()"
        )
    for grant in GRANTS:
        op.execute(f"GRANT {grant}")
    for (poll_id,) in op.get_bind().execute(_LOGS).all():
        _build_tree(poll_id)


def downgrade() -> None:
    """Drops the signatures with the tree, and the city's log with both."""
    for table in GUARDED_BEFORE:
        op.execute(f"DROP TRIGGER ballot_guard ON {table}")
        op.execute(
            f"CREATE TRIGGER box_guard BEFORE INSERT ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION box_guard('closing')"
        )
    op.execute("DROP TRIGGER log_guard ON log_entry")
    for table in ("cosignature", "checkpoint", "tree_tile", "log_key"):
        op.drop_table(table)
    for function in ("ballot_guard", "log_guard", "tile_guard", "checkpoint_guard"):
        op.execute(f"DROP FUNCTION {function}()")
    op.execute("DROP FUNCTION statement_hash(uuid)")
    op.drop_index("ix_log_entry_acts", "log_entry")
    op.drop_index("ix_log_entry_tracker", "log_entry")
    op.execute("ALTER TABLE log_entry DISABLE TRIGGER insert_only")
    op.execute(f"DELETE FROM log_entry WHERE poll_id = {CITY}")
    op.execute("ALTER TABLE log_entry ENABLE TRIGGER insert_only")
    op.drop_index("uq_log_entry_city", "log_entry")
    op.drop_constraint(op.f("ck_log_entry_checkpoints_in_the_city"), "log_entry")
    for name, (condition, _) in CHECKS.items():
        _replace_check(name, condition)


def _replace_check(name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_log_entry_{name}"), "log_entry")
    op.create_check_constraint(op.f(f"ck_log_entry_{name}"), "log_entry", condition)


def _create_tables() -> None:
    op.create_table(
        "tree_tile",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", "level", "n", name="pk_tree_tile"),
        sa.CheckConstraint(
            "length(hashes) BETWEEN 32 AND 1024 AND length(hashes) % 32 = 0",
            name=op.f("ck_tree_tile_whole_hashes"),
        ),
    )
    op.create_table(
        "checkpoint",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.String()),
        sa.PrimaryKeyConstraint("poll_id", "size", name="pk_checkpoint"),
        sa.CheckConstraint("length(root) = 32", name=op.f("ck_checkpoint_sha256")),
    )
    op.create_index(
        "ix_checkpoint_unsigned",
        "checkpoint",
        ["poll_id", "size"],
        postgresql_where=sa.text("note IS NULL"),
    )
    op.create_table(
        "cosignature",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("witness", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", "size", "witness", name="pk_cosignature"),
        sa.ForeignKeyConstraint(
            ["poll_id", "size"],
            ["checkpoint.poll_id", "checkpoint.size"],
            name="fk_cosignature_poll_id",
        ),
    )
    op.create_table(
        "log_key",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_log_key"),
        sa.CheckConstraint("length(public_key) = 32", name=op.f("ck_log_key_ed25519")),
    )


_LOGS = sa.text("SELECT DISTINCT poll_id FROM log_entry")
_ENTRIES = sa.text("SELECT kind, data FROM log_entry WHERE poll_id = :log ORDER BY idx")
_TILE = sa.text("INSERT INTO tree_tile VALUES (:log, :level, :n, :hashes)")
_CHECKPOINT = sa.text("INSERT INTO checkpoint VALUES (:log, :size, :root)")


def _build_tree(log: object) -> None:
    """Tiles of all levels over a log's entries, and a checkpoint of its whole size."""
    hashes = list(_leaves(log))
    size, level = len(hashes), 0
    op.get_bind().execute(_CHECKPOINT, {"log": log, "size": size, "root": _root(hashes)})
    while hashes:
        tiles = [hashes[start : start + TILE_WIDTH] for start in range(0, len(hashes), TILE_WIDTH)]
        for n, tile in enumerate(tiles):
            row = {"log": log, "level": level, "n": n, "hashes": b"".join(tile)}
            op.get_bind().execute(_TILE, row)
        hashes = [_root(tile) for tile in tiles if len(tile) == TILE_WIDTH]
        level += 1


def _leaves(log: object) -> Iterator[bytes]:
    entries = op.get_bind().execute(_ENTRIES, {"log": log}, execution_options={"yield_per": 10_000})
    for kind, data in entries:
        yield hashlib.sha256(b"\x00" + bytes([kind]) + data).digest()


def _root(hashes: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, over leaf hashes or over roots of equal subtrees.

    Level by level; what is left over at the end of a level goes up as it is.
    """
    while len(hashes) > 1:
        pairs = [
            hashlib.sha256(b"\x01" + left + right).digest()
            for left, right in zip(hashes[::2], hashes[1::2], strict=False)
        ]
        hashes = pairs + hashes[len(pairs) * 2 :]
    return hashes[0]
