"""Accounts by an outside identity, numbers that change, and what both leave behind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
CHECKS = {
    "identity_hash_whole": "octet_length(identity_hash) = 32",
    "phone_whole": "(phone_hash IS NULL) = (phone_sealed IS NULL)",
    "identity_dated": "(identity_hash IS NULL) = (identity_confirmed_at IS NULL)",
    "with_a_way_in": "phone_hash IS NOT NULL OR identity_hash IS NOT NULL",
}
NEW_RIGHTS = "UPDATE (phone_hash, identity_hash, identity_confirmed_at) ON citizen"
VERIFIER = "ck_attribute_verifier_if_verified"


def upgrade() -> None:
    op.add_column("citizen", sa.Column("identity_hash", sa.LargeBinary()))
    op.add_column("citizen", sa.Column("identity_confirmed_at", INSTANT))
    op.create_unique_constraint("uq_citizen_identity_hash", "citizen", ["identity_hash"])
    op.alter_column("citizen", "phone_hash", nullable=True)
    op.alter_column("citizen", "phone_sealed", nullable=True)
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_citizen_{name}"), "citizen", condition)
    op.execute(f"GRANT {NEW_RIGHTS} TO mvote_api")
    op.create_index("ix_anchor_anchor", "anchor", ["anchor"])
    op.alter_column("tombstone", "phone_hash", new_column_name="bearer_hash")
    _rename_check("phone_hash_whole", "bearer_hash_whole")
    op.add_column("attribute", sa.Column("verified_issuer", sa.String()))
    _set_verifier("num_nonnulls(verified_by, verified_issuer) = (verified_at IS NOT NULL)::integer")
    op.create_table(
        "identity_nonce",
        sa.Column("nonce_hash", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("nonce_hash", name="pk_identity_nonce"),
        sa.CheckConstraint(
            "octet_length(nonce_hash) = 32", name=op.f("ck_identity_nonce_nonce_hash_whole")
        ),
    )
    op.create_index("ix_identity_nonce_expires_at", "identity_nonce", ["expires_at"])
    op.execute("GRANT SELECT, INSERT, DELETE ON identity_nonce TO mvote_api")


def downgrade() -> None:
    """Accounts without a number go: nobody could sign in to them any more."""
    op.drop_table("identity_nonce")
    op.execute("DELETE FROM citizen WHERE phone_hash IS NULL")
    op.execute("DELETE FROM attribute WHERE verified_issuer IS NOT NULL")
    _set_verifier("(verified_by IS NULL) = (verified_at IS NULL)")
    op.drop_column("attribute", "verified_issuer")
    _rename_check("bearer_hash_whole", "phone_hash_whole")
    op.alter_column("tombstone", "bearer_hash", new_column_name="phone_hash")
    op.drop_index("ix_anchor_anchor", "anchor")
    op.execute(f"REVOKE {NEW_RIGHTS} FROM mvote_api")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_citizen_{name}"), "citizen")
    op.alter_column("citizen", "phone_sealed", nullable=False)
    op.alter_column("citizen", "phone_hash", nullable=False)
    op.drop_constraint("uq_citizen_identity_hash", "citizen")
    op.drop_column("citizen", "identity_confirmed_at")
    op.drop_column("citizen", "identity_hash")


def _rename_check(old: str, new: str) -> None:
    op.execute(f"ALTER TABLE tombstone RENAME CONSTRAINT ck_tombstone_{old} TO ck_tombstone_{new}")


def _set_verifier(condition: str) -> None:
    op.drop_constraint(op.f(VERIFIER), "attribute")
    op.create_check_constraint(op.f(VERIFIER), "attribute", condition)
