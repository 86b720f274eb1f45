"""Pictures in frozen polls stay; files that nothing names are forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

FORGET = "forget_orphan_files(timestamptz)"
# What a proposal or a project in delivery names is noted as in use when it is first looked at; then
# the database itself lets it go no more.
FORGET_ORPHAN_FILES = """
CREATE FUNCTION forget_orphan_files(before timestamptz) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    before := least(before, clock_timestamp() - interval '1 day');
    INSERT INTO file_use (sha256)
        SELECT f.sha256 FROM stored_file f
        WHERE f.kept_at < before
            AND NOT EXISTS (SELECT FROM file_use u WHERE u.sha256 = f.sha256)
            AND (EXISTS (SELECT FROM proposal_revision r
                    WHERE strpos(r.content::text, encode(f.sha256, 'hex')) > 0)
                OR EXISTS (SELECT FROM project_update p
                    WHERE strpos(p.pictures::text, encode(f.sha256, 'hex')) > 0))
        ON CONFLICT DO NOTHING;
    DELETE FROM stored_file f
        WHERE f.kept_at < before
            AND NOT EXISTS (SELECT FROM file_use u WHERE u.sha256 = f.sha256)
            AND NOT EXISTS (SELECT FROM poll p WHERE p.state = 'draft'
                AND strpos(p.content::text, encode(f.sha256, 'hex')) > 0);
END $$
"""


def upgrade() -> None:
    op.create_table(
        "file_use",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_file_use"),
        sa.ForeignKeyConstraint(["sha256"], ["stored_file.sha256"], name="fk_file_use_sha256"),
    )
    op.execute("GRANT SELECT, INSERT ON file_use TO mvote_api")
    _guard("file_use", "UPDATE OR DELETE")
    op.execute("DROP TRIGGER insert_only ON stored_file")
    _guard("stored_file", "UPDATE")  # who may delete: only the function below
    op.execute(sa.text(FORGET_ORPHAN_FILES.replace(":", "\\:")))
    op.execute(f"REVOKE ALL ON FUNCTION {FORGET} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {FORGET} TO mvote_api")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {FORGET}")
    op.execute("DROP TRIGGER insert_only ON stored_file")
    _guard("stored_file", "UPDATE OR DELETE")
    op.drop_table("file_use")


def _guard(table: str, events: str) -> None:
    op.execute(
        f"CREATE TRIGGER insert_only BEFORE {events} ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    )
