"""What is left behind ends: rolls of drafts that nobody touches, and codes that have expired.

A roll goes 90 days after anybody touched its draft, but only a draft's, and only as old as that:
the database itself looks at both. A code whose time is over holds its site still no longer; where
the codes are those of private polls that an officer may not know of, their authors are told when
the officer ends them all.

When a draft was touched nobody has written down until now: the 90 days of those with a roll begin
with this migration, or rolls of drafts that people work at would go on the day of it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

TOLD = (
    "'returned', 'lapsed', 'under_review', 'approved', 'rejected', 'withdrawn', 'merged', 'split',"
    " 'on_ballot', 'struck', 'funded', 'reserve', 'not_funded', 'enacted', 'reduced', 'dropped',"
    " 'update', 'assessment_overdue', 'delivery_overdue', 'moved_up', 'sworn_in'"
)
OF_POLLS = "'poll_held_back', 'poll_released', 'poll_kept_out', 'poll_hold_expired'"
LEFT_BEHIND = "'poll_roll_given_up', 'poll_codes_revoked'"
PINNED = "SET search_path = pg_catalog, public, pg_temp"
GIVE_UP_ROLL = f"""
CREATE FUNCTION give_up_roll(p_poll_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER {PINNED} AS $$
DECLARE
    drafted poll;
BEGIN
    SELECT * INTO drafted FROM poll WHERE id = p_poll_id FOR UPDATE;
    IF drafted.state IS DISTINCT FROM 'draft' THEN
        RETURN false;
    END IF;
    DELETE FROM roll WHERE poll_id = p_poll_id
        AND greatest(imported_at, drafted.revised_at) < clock_timestamp() - interval '90 days';
    RETURN FOUND;
END $$
"""
SITE_HELD_STILL = f"""
CREATE OR REPLACE FUNCTION site_held_still(p_site_id uuid) RETURNS boolean
LANGUAGE sql VOLATILE {PINNED} AS $$
    SELECT EXISTS (
        SELECT 1 FROM site_code JOIN poll ON poll.id = site_code.poll_id
        WHERE site_code.site_id = p_site_id AND site_code.revoked_at IS NULL{{more}}
            AND poll.state = 'open' AND clock_timestamp() < poll.closes_at)
$$
"""
NOT_EXPIRED = """
            AND (site_code.valid_until IS NULL OR clock_timestamp() < site_code.valid_until)"""
FUNCTION = "give_up_roll(uuid)"
TOUCHED_TODAY = """
UPDATE poll SET revised_at = clock_timestamp()
    WHERE state = 'draft' AND id IN (SELECT poll_id FROM roll)
"""


def upgrade() -> None:
    op.add_column("poll", sa.Column("revised_at", sa.DateTime(timezone=True)))
    op.execute(TOUCHED_TODAY)
    op.execute(sa.text(GIVE_UP_ROLL.replace(":", "\\:")))
    op.execute(f"REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {FUNCTION} TO mvote_api")
    op.execute(SITE_HELD_STILL.format(more=NOT_EXPIRED))
    _check_kinds(f"{OF_POLLS}, {LEFT_BEHIND}")


def downgrade() -> None:
    op.execute("ALTER TABLE bulletin DISABLE TRIGGER bulletin_guard")
    which = f"b.kind IN ({LEFT_BEHIND})"
    op.execute(f"DELETE FROM inbox_item USING bulletin b WHERE b.id = bulletin_id AND {which}")
    op.execute(f"DELETE FROM bulletin b WHERE {which}")
    op.execute("ALTER TABLE bulletin ENABLE TRIGGER bulletin_guard")
    _check_kinds(OF_POLLS)
    op.execute(SITE_HELD_STILL.format(more=""))
    op.execute(f"DROP FUNCTION {FUNCTION}")
    op.drop_column("poll", "revised_at")


def _check_kinds(of_polls: str) -> None:
    rules = {
        "kind_known": f"kind IN ({TOLD}, {of_polls})",
        "of_poll_by_kind": f"(poll_id IS NOT NULL) = (kind IN ({of_polls}))",
    }
    for name, condition in rules.items():
        op.drop_constraint(op.f(f"ck_bulletin_{name}"), "bulletin")
        op.create_check_constraint(op.f(f"ck_bulletin_{name}"), "bulletin", condition)
