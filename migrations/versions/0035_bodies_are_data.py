"""A committee is of whatever body its cycle names: an assembly, juries, not three words of ours."""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

NAMED, KNOWN = "ck_committee_kind_named", "ck_committee_kind_known"


def upgrade() -> None:
    op.drop_constraint(op.f(KNOWN), "committee")
    op.create_check_constraint(op.f(NAMED), "committee", "kind ~ '^[A-Za-z0-9_-]{1,40}$'")


def downgrade() -> None:
    op.drop_constraint(op.f(NAMED), "committee")
    op.create_check_constraint(KNOWN, "committee", "kind IN ('subcommittee', 'plenary', 'appeals')")
