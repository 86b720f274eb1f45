"""A hold that no officer looks at ends by itself, and its author is told.

`spent`: of the reports that wait, so many have held the poll back already and do not do so again.
`expired`: how many holds ended so.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

TOLD = (
    "'returned', 'lapsed', 'under_review', 'approved', 'rejected', 'withdrawn', 'merged', 'split',"
    " 'on_ballot', 'struck', 'funded', 'reserve', 'not_funded', 'enacted', 'reduced', 'dropped',"
    " 'update', 'assessment_overdue', 'delivery_overdue'"
)
OF_POLLS = "'poll_held_back', 'poll_released', 'poll_kept_out'"
EXPIRED = "'poll_hold_expired'"
CHECKS = {"spent_waits": "0 <= spent AND spent <= waiting", "expired_counted": "expired >= 0"}
CASE_GUARD = """
CREATE OR REPLACE FUNCTION moderation_case_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' AND (NEW.state, NEW.decided) IS DISTINCT FROM ('reported', 0)
        OR TG_OP = 'UPDATE' AND (NEW.poll_id <> OLD.poll_id
            OR NEW.decided NOT IN (OLD.decided, OLD.decided + 1)
            OR OLD.state || ' ' || NEW.state NOT IN (
                'reported reported', 'reported held', 'reported released', 'reported kept',
                'held held', {more}'held released', 'held kept', 'released reported',
                'kept kept', 'kept released')) THEN
        RAISE EXCEPTION 'a case goes from reports to a decision'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.held_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM poll
            WHERE id = NEW.poll_id AND origin = 'citizen' AND NOT is_private) THEN
        RAISE EXCEPTION 'only public polls of citizens are left out of lists'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    for name in ("spent", "expired"):
        column = sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        op.add_column("moderation_case", column)
        op.alter_column("moderation_case", name, server_default=None)
    for name, condition in CHECKS.items():
        table = "moderation_case"
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    op.execute("GRANT UPDATE (spent, expired) ON moderation_case TO mvote_api")
    op.execute(CASE_GUARD.format(more="'held reported', "))
    _check_kinds(f"{OF_POLLS}, {EXPIRED}")


def downgrade() -> None:
    op.execute("ALTER TABLE bulletin DISABLE TRIGGER bulletin_guard")
    which = f"b.kind = {EXPIRED}"
    op.execute(f"DELETE FROM inbox_item USING bulletin b WHERE b.id = bulletin_id AND {which}")
    op.execute(f"DELETE FROM bulletin b WHERE {which}")
    op.execute("ALTER TABLE bulletin ENABLE TRIGGER bulletin_guard")
    _check_kinds(OF_POLLS)
    op.execute(CASE_GUARD.format(more=""))
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_moderation_case_{name}"), "moderation_case")
    for name in ("spent", "expired"):
        op.drop_column("moderation_case", name)


def _check_kinds(of_polls: str) -> None:
    rules = {
        "kind_known": f"kind IN ({TOLD}, {of_polls})",
        "of_poll_by_kind": f"(poll_id IS NOT NULL) = (kind IN ({of_polls}))",
    }
    for name, condition in rules.items():
        op.drop_constraint(op.f(f"ck_bulletin_{name}"), "bulletin")
        op.create_check_constraint(op.f(f"ck_bulletin_{name}"), "bulletin", condition)
