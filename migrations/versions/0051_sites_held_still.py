"""A site stays where it is while any frozen poll is held there, a private one as well.

Until now a site was held still by `in_use`, which says whether the search for polls nearby looks at
it; and no private poll is found by that search. What holds it is a code that joins it to a frozen
poll whose voting has not ended.
"""

from __future__ import annotations

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

SITE_HELD_STILL = """
CREATE FUNCTION site_held_still(p_site_id uuid) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM site_code JOIN poll ON poll.id = site_code.poll_id
        WHERE site_code.site_id = p_site_id AND site_code.revoked_at IS NULL
            AND poll.state = 'open' AND clock_timestamp() < poll.closes_at)
$$
"""
# Whoever moves a site waits for those who hold it by its key, who never wait for each other. Lock
# its row FOR UPDATE before, as revising does: here the lock is raised, which may end as a deadlock.
SITE_GUARD = """
CREATE FUNCTION site_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM site WHERE id = OLD.id FOR UPDATE;
    IF site_held_still(OLD.id) THEN
        RAISE EXCEPTION 'a site at which a frozen poll is held is neither moved nor widened'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'site_held_still';
    END IF;
    RETURN NEW;
END $$
"""
# The poll first, as those lock who open it: none opens with a code that it has not seen.
SITE_CODE_GUARD = """
CREATE FUNCTION site_code_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM poll WHERE id = NEW.poll_id FOR KEY SHARE;
    PERFORM 1 FROM site WHERE id = NEW.site_id FOR KEY SHARE;
    RETURN NEW;
END $$
"""
POLL_HOLDS_SITES = """
CREATE FUNCTION poll_holds_sites() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM site WHERE id IN (
            SELECT site_id FROM site_code WHERE poll_id = NEW.id AND revoked_at IS NULL)
        ORDER BY id FOR KEY SHARE;
    RETURN NEW;
END $$
"""
MOVED = "(OLD.lat, OLD.lon, OLD.radius_m) IS DISTINCT FROM (NEW.lat, NEW.lon, NEW.radius_m)"
TRIGGERS = (
    ("site_guard", "BEFORE UPDATE ON site", MOVED),
    ("site_code_guard", "BEFORE INSERT ON site_code", "true"),
    (
        "poll_holds_sites",
        "BEFORE UPDATE ON poll",
        "OLD.state IS DISTINCT FROM 'open' AND NEW.state = 'open'",
    ),
)


def upgrade() -> None:
    op.execute(SITE_HELD_STILL)
    op.execute("REVOKE EXECUTE ON FUNCTION site_held_still(uuid) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION site_held_still(uuid) TO mvote_api")
    for function in (SITE_GUARD, SITE_CODE_GUARD, POLL_HOLDS_SITES):
        op.execute(function)
    for name, when, condition in TRIGGERS:
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
        op.execute(
            f"CREATE TRIGGER {name} {when} FOR EACH ROW WHEN ({condition})"
            f" EXECUTE FUNCTION {name}()"
        )


def downgrade() -> None:
    for name, when, _ in reversed(TRIGGERS):
        op.execute(f"DROP TRIGGER {name} ON {when.rpartition(' ')[2]}")
        op.execute(f"DROP FUNCTION {name}()")
    op.execute("DROP FUNCTION site_held_still(uuid)")
