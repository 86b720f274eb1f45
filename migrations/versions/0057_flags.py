"""Flags of positions, and what is remembered for a while to notice them, hashed and sealed.

What is remembered is UNLOGGED: no WAL has it, and after a crash it is gone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

KINDS = "'mock', 'stale', 'repeated-coordinates', 'impossible-travel', 'shared-device'"
GRANTS = (
    "SELECT, INSERT, DELETE, UPDATE (times, finding, note, found_by, found_at) ON flag",
    "SELECT, INSERT, DELETE ON place_seen",
    "SELECT, INSERT, DELETE, UPDATE (sealed, expires_at) ON last_fix",
)


def upgrade() -> None:
    _create_flag()
    op.create_table(
        "place_seen",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("visitor", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", "place", "visitor", name="pk_place_seen"),
        _whole("place_seen", "place"),
        _whole("place_seen", "visitor"),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "last_fix",
        sa.Column("traveller", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("traveller", name="pk_last_fix"),
        _whole("last_fix", "traveller"),
        sa.CheckConstraint("octet_length(sealed) = 40", name=op.f("ck_last_fix_sealed_whole")),
        prefixes=["UNLOGGED"],
    )
    for table in ("place_seen", "last_fix"):
        op.create_index(f"ix_{table}_expires_at", table, ["expires_at"])
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO mvote_api")


def _create_flag() -> None:
    op.create_table(
        "flag",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("pseudonym", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("finding", sa.String()),
        sa.Column("note", sa.String()),
        sa.Column("found_by", sa.Uuid()),
        sa.Column("found_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("poll_id", "id", name="pk_flag"),
        sa.UniqueConstraint(
            "poll_id", "pseudonym", "kind", "day", name="uq_flag_poll_id_pseudonym_kind_day"
        ),
        _whole("flag", "pseudonym"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_flag_kind_known")),
        sa.CheckConstraint(
            "finding IN ('harmless', 'suspicious')", name=op.f("ck_flag_finding_known")
        ),
        sa.CheckConstraint("times > 0", name=op.f("ck_flag_happened")),
        sa.CheckConstraint(
            "(finding IS NULL) = (found_by IS NULL)"
            " AND (finding IS NULL) = (found_at IS NULL) AND (finding IS NULL) <= (note IS NULL)",
            name=op.f("ck_flag_finding_by_somebody"),
        ),
    )


def downgrade() -> None:
    for table in ("last_fix", "place_seen", "flag"):
        op.drop_table(table)


def _whole(table: str, column: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"octet_length({column}) = 32", name=op.f(f"ck_{table}_{column}_whole")
    )
