"""What lies in inboxes is taken away when its term is over."""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_inbox_item_bulletin_id", "inbox_item", ["bulletin_id"])
    op.execute("GRANT DELETE ON inbox_item TO mvote_api")


def downgrade() -> None:
    op.execute("REVOKE DELETE ON inbox_item FROM mvote_api")
    op.drop_index("ix_inbox_item_bulletin_id", "inbox_item")
