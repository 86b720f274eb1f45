"""Guards look at the tables they were written for, whoever sets them off.

A trigger's function runs as the login whose statement fires it, and so does what it calls. A login
that may make temporary tables could put one named `poll` before the real one; a guard without a
search path of its own would then believe what the login wrote there.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

GUARDS = (
    "approval_guard()",
    "area_is_fixed()",
    "ballot_guard()",
    "box_guard()",
    "bundle_guard()",
    "checkpoint_guard()",
    "definition_guard()",
    "geofence_guard()",
    "insert_only()",
    "live_guard()",
    "log_guard()",
    "notice_guard()",
    "poll_guard()",
    "poll_moves(poll, poll, boolean)",
    "refuse_change()",
    "sealing_key_guard()",
    "tile_guard()",
    "trustee_key_guard()",
    "want_bundle()",
)


def upgrade() -> None:
    for guard in GUARDS:
        op.execute(f"ALTER FUNCTION {guard} SET search_path = pg_catalog, public, pg_temp")


def downgrade() -> None:
    for guard in GUARDS:
        op.execute(f"ALTER FUNCTION {guard} RESET search_path")
