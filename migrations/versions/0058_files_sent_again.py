"""A file that is sent again waits for its draft as long as one that is new.

What nobody has named for a month is swept away, counted from when it was first sent. Whoever sent
the same bytes a month later found it gone before their draft named it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mvote.base import UtcDateTime

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

FORGET_ORPHAN_FILES = """
CREATE OR REPLACE FUNCTION forget_orphan_files(before timestamptz) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    before := least(before, clock_timestamp() - interval '1 day');
    INSERT INTO file_use (sha256)
        SELECT f.sha256 FROM stored_file f
        WHERE f.{since} < before
            AND NOT EXISTS (SELECT FROM file_use u WHERE u.sha256 = f.sha256)
            AND (EXISTS (SELECT FROM proposal_revision r
                    WHERE strpos(r.content::text, encode(f.sha256, 'hex')) > 0)
                OR EXISTS (SELECT FROM project_update p
                    WHERE strpos(p.pictures::text, encode(f.sha256, 'hex')) > 0))
        ON CONFLICT DO NOTHING;
    DELETE FROM stored_file f
        WHERE f.{since} < before
            AND NOT EXISTS (SELECT FROM file_use u WHERE u.sha256 = f.sha256)
            AND NOT EXISTS (SELECT FROM poll p WHERE p.state = 'draft'
                AND strpos(p.content::text, encode(f.sha256, 'hex')) > 0);
END $$
"""


def upgrade() -> None:
    op.add_column("stored_file", sa.Column("sent_at", UtcDateTime(), nullable=True))
    _guard("UPDATE OF sha256, media_type, content, kept_by, kept_at")
    op.execute("UPDATE stored_file SET sent_at = kept_at")
    op.alter_column(
        "stored_file", "sent_at", nullable=False, server_default=sa.text("clock_timestamp()")
    )
    op.execute("GRANT UPDATE (sent_at) ON stored_file TO mvote_api")
    _forget("sent_at")


def downgrade() -> None:
    _forget("kept_at")
    op.drop_column("stored_file", "sent_at")
    _guard("UPDATE")


def _guard(event: str) -> None:
    op.execute("DROP TRIGGER insert_only ON stored_file")
    op.execute(
        f"CREATE TRIGGER insert_only BEFORE {event} ON stored_file"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    )


def _forget(since: str) -> None:
    op.execute(sa.text(FORGET_ORPHAN_FILES.format(since=since).replace(":", "\\:")))
