"""A language is told by its tag: which there are follows the files in `translations/`."""

from __future__ import annotations

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

TABLES = ("citizen", "invitation_run")
TAG = "language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'"
TWO = "language IN ('ko', 'en')"


def upgrade() -> None:
    for table in TABLES:
        op.drop_constraint(op.f(f"ck_{table}_language_known"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_language_tagged"), table, TAG)


def downgrade() -> None:
    """Whoever chose another language has chosen none."""
    op.execute(f"UPDATE citizen SET language = NULL WHERE NOT {TWO}")
    op.execute("ALTER TABLE invitation_run DISABLE TRIGGER USER")
    op.execute(f"UPDATE invitation_run SET language = 'en' WHERE NOT {TWO}")
    op.execute("ALTER TABLE invitation_run ENABLE TRIGGER USER")
    for table in TABLES:
        op.drop_constraint(op.f(f"ck_{table}_language_tagged"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_language_known"), table, TWO)
