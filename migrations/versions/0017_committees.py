"""Committees: who applied, what was published before the draw, the draw, seats and reserves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from mvote.base import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

GRANTS = {
    "committee": "SELECT, INSERT",
    "committee_targets": "SELECT, INSERT",
    "application": "SELECT, INSERT, UPDATE (categories, verified, interests, preferences,"
    " withdrawn_at)",
    "committee_draw": "SELECT, INSERT",
    "committee_draw_file": "SELECT, INSERT",
    "seat": "SELECT, INSERT, UPDATE (state, is_chair, vacated_at)",
    "committee_reserve": "SELECT, INSERT, UPDATE (state)",
}
INSERT_ONLY = ("committee", "committee_targets", "committee_draw", "committee_draw_file")

# The clock is the database's, so that a commitment cannot be published after the fact.
COMMITTEE_GUARD = """
CREATE FUNCTION committee_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.created_at := clock_timestamp();
    RETURN NEW;
END $$
"""

# The first targets come with the committee, later ones by `change_targets` alone, which runs as
# the owner once two officers want the same.
TARGETS_GUARD = """
CREATE FUNCTION committee_targets_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    by_two_officers boolean :=
        current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID);
BEGIN
    IF NEW.n > 0 AND NOT by_two_officers THEN
        RAISE EXCEPTION 'only two officers change published targets'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.n <> (SELECT count(*) FROM committee_targets WHERE committee_id = NEW.committee_id)
        OR NOT EXISTS (SELECT 1 FROM committee WHERE id = NEW.committee_id
            AND public_value_at > clock_timestamp()) THEN
        RAISE EXCEPTION 'targets are numbered, and fixed once the public value is known'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# Both an application and the closing of the pool are decided by one clock, read under a lock that
# whoever draws takes, too (see mvote/approvals.py): no application commits behind the draw.
APPLICATION_GUARD = """
CREATE FUNCTION application_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    closes_at timestamptz;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an application is withdrawn, never deleted'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - 'citizen_id' = to_jsonb(OLD) - 'citizen_id'
            AND NEW.citizen_id IS NULL THEN
            RETURN NEW;  -- the account is gone
        END IF;
        IF (OLD.id, OLD.committee_id, OLD.citizen_id, OLD.pseudonym, OLD.applied_at)
            IS DISTINCT FROM
            (NEW.id, NEW.committee_id, NEW.citizen_id, NEW.pseudonym, NEW.applied_at) THEN
            RAISE EXCEPTION 'whose application it is does not change'
                USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.committee_id::text, 4));
    SELECT applications_close_at INTO closes_at FROM committee WHERE id = NEW.committee_id;
    IF (clock_timestamp() < closes_at) IS NOT TRUE THEN
        RAISE EXCEPTION 'applications are closed'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'application_in_time';
    END IF;
    RETURN NEW;
END $$
"""

DRAW_GUARD = """
CREATE FUNCTION committee_draw_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    drawn committee;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.committee_id::text, 4));
    SELECT * INTO drawn FROM committee WHERE id = NEW.committee_id;
    IF (drawn.public_value_at <= clock_timestamp()) IS NOT TRUE THEN
        RAISE EXCEPTION 'the public value is not known yet'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'draw_is_due';
    END IF;
    IF sha256(NEW.secret) IS DISTINCT FROM drawn.commitment THEN
        RAISE EXCEPTION 'this is not the secret that was committed to'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# A seat is a membership: it ends once. Where lots decide, a citizen's seat belongs to the pool.
SEAT_GUARD = """
CREATE FUNCTION seat_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a seat is vacated, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.kind = 'citizen'
            AND EXISTS (SELECT 1 FROM committee
                WHERE id = NEW.committee_id AND commitment IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM application JOIN committee_draw USING (committee_id)
                WHERE committee_id = NEW.committee_id AND application.pseudonym = NEW.pseudonym
                    AND citizen_id IS NOT DISTINCT FROM NEW.citizen_id
                    AND withdrawn_at IS NULL) THEN
            RAISE EXCEPTION 'this seat is drawn by lot' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.citizen_id IS NULL AND NEW.state = 'filled' THEN  -- the account is gone
        NEW.state := 'vacant';
        NEW.vacated_at := clock_timestamp();
    END IF;
    IF OLD.state = 'vacant' AND NEW.state <> 'vacant'
        OR NEW.citizen_id IS NOT NULL AND NEW.citizen_id IS DISTINCT FROM OLD.citizen_id
        OR to_jsonb(OLD) - 'citizen_id' - 'state' - 'is_chair' - 'vacated_at'
            <> to_jsonb(NEW) - 'citizen_id' - 'state' - 'is_chair' - 'vacated_at' THEN
        RAISE EXCEPTION 'who has a seat does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

RESERVE_GUARD = """
CREATE FUNCTION committee_reserve_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'waiting'
        OR to_jsonb(OLD) - 'state' <> to_jsonb(NEW) - 'state' THEN
        RAISE EXCEPTION 'the order of the reserves is that of the draw'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
GUARDS = {
    "committee_guard": (COMMITTEE_GUARD, "committee", "INSERT"),
    "committee_targets_guard": (TARGETS_GUARD, "committee_targets", "INSERT"),
    "application_guard": (APPLICATION_GUARD, "application", "INSERT OR UPDATE OR DELETE"),
    "committee_draw_guard": (DRAW_GUARD, "committee_draw", "INSERT"),
    "seat_guard": (SEAT_GUARD, "seat", "INSERT OR UPDATE OR DELETE"),
    "committee_reserve_guard": (RESERVE_GUARD, "committee_reserve", "UPDATE OR DELETE"),
}

# The lock, the clock, the grant, the new targets with their public reason: all or nothing. False
# once the public value is known.
CHANGE_TARGETS = """
CREATE FUNCTION change_targets(p_committee_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    known_at timestamptz;
    approved jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_committee_id::text, 4));
    SELECT public_value_at INTO known_at FROM committee WHERE id = p_committee_id;
    IF (clock_timestamp() < known_at) IS NOT TRUE THEN
        RETURN false;
    END IF;
    approved := grant_approval(p_approval_id, 'committee:targets', p_committee_id, p_by);
    INSERT INTO committee_targets (committee_id, n, document, text, at)
        VALUES (p_committee_id,
            (SELECT count(*) FROM committee_targets WHERE committee_id = p_committee_id),
            approved -> 'targets', approved -> 'text', clock_timestamp());
    RETURN true;
END $$
"""
CHANGE = "change_targets(uuid, uuid, uuid)"


def upgrade() -> None:
    _create_committee()
    _create_application()
    _create_draw()
    _create_seat()
    for name, (body, table, events) in GUARDS.items():
        op.execute(sa.text(body.replace(":", "\\:")))
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {events} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION insert_only()"
        )
    op.execute(sa.text(CHANGE_TARGETS.replace(":", "\\:")))
    op.execute(f"REVOKE ALL ON FUNCTION {CHANGE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {CHANGE} TO mvote_api")
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO mvote_api")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {CHANGE}")
    for table in ("committee_reserve", "seat", "committee_draw_file", "committee_draw",
                  "application", "committee_targets", "committee"):  # fmt: skip
        op.drop_table(table)
    for name in GUARDS:
        op.execute(f"DROP FUNCTION {name}()")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _refers(
    table: str, column: str, to: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [to], name=name, ondelete=ondelete)


def _of_committee(table: str) -> list[sa.Column[object] | sa.Constraint]:
    return [
        sa.Column("committee_id", sa.Uuid(), nullable=False),
        _refers(table, "committee_id", "committee.id"),
    ]


def _create_committee() -> None:
    op.create_table(
        "committee",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("name", JSONB(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("headings", ARRAY(sa.Text()), nullable=False),
        sa.Column("area_codes", ARRAY(sa.Text()), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("age_bands", JSONB(), nullable=False),
        sa.Column("commitment", sa.LargeBinary()),
        sa.Column("public_source", sa.String()),
        sa.Column("applications_close_at", UtcDateTime()),
        sa.Column("public_value_at", UtcDateTime()),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_committee"),
        _refers("committee", "cycle_id", "cycle.id"),
        _check("committee", "kind_known", "kind IN ('subcommittee', 'plenary', 'appeals')"),
        _check(
            "committee",
            "draw_whole",
            "num_nonnulls(commitment, public_source, applications_close_at, public_value_at)"
            " IN (0, 4)",
        ),
        _check(
            "committee",
            "committed_before_applications_close",
            "created_at < applications_close_at AND applications_close_at < public_value_at",
        ),
        _check("committee", "starts_before_it_ends", "starts_on < ends_on"),
        _check("committee", "commitment_whole", "octet_length(commitment) = 32"),
    )
    op.create_index("ix_committee_cycle_id", "committee", ["cycle_id"])
    op.create_table(
        "committee_targets",
        *_of_committee("committee_targets"),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("text", JSONB()),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("committee_id", "n", name="pk_committee_targets"),
        _check("committee_targets", "numbered", "n >= 0"),
        _check("committee_targets", "change_has_reason", "(n = 0) = (text IS NULL)"),
    )


def _create_application() -> None:
    op.create_table(
        "application",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of_committee("application"),
        sa.Column("citizen_id", sa.Uuid()),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("categories", JSONB(), nullable=False),
        sa.Column("verified", ARRAY(sa.Text()), nullable=False),
        sa.Column("interests", JSONB(), nullable=False),
        sa.Column("preferences", ARRAY(sa.Text()), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_application"),
        _refers("application", "citizen_id", "citizen.id", ondelete="SET NULL"),
        sa.UniqueConstraint(
            "committee_id", "pseudonym", name="uq_application_committee_id_pseudonym"
        ),
    )
    op.create_index(
        "uq_application_citizen", "application", ["committee_id", "citizen_id"], unique=True,
        postgresql_where=sa.text("citizen_id IS NOT NULL"),
    )  # fmt: skip
    op.create_index("ix_application_citizen_id", "application", ["citizen_id"])


def _create_draw() -> None:
    op.create_table(
        "committee_draw",
        *_of_committee("committee_draw"),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("public_value", sa.String(), nullable=False),
        sa.Column("held_by", sa.Uuid(), nullable=False),
        sa.Column("held_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("committee_id", name="pk_committee_draw"),
    )
    op.create_table(
        "committee_draw_file",
        sa.Column("committee_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("committee_id", "name", name="pk_committee_draw_file"),
        _refers("committee_draw_file", "committee_id", "committee_draw.committee_id"),
    )


def _create_seat() -> None:
    op.create_table(
        "seat",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of_committee("seat"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("has_vote", sa.Boolean(), nullable=False),
        sa.Column("is_chair", sa.Boolean(), nullable=False),
        sa.Column("citizen_id", sa.Uuid()),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("filled_at", UtcDateTime(), nullable=False),
        sa.Column("vacated_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_seat"),
        _refers("seat", "citizen_id", "citizen.id", ondelete="SET NULL"),
        sa.UniqueConstraint("committee_id", "number", name="uq_seat_committee_id_number"),
        _check("seat", "kind_known", "kind IN ('citizen', 'expert', 'official')"),
        _check("seat", "state_known", "state IN ('filled', 'vacant')"),
        _check("seat", "vacant_since_vacated", "(state = 'vacant') = (vacated_at IS NOT NULL)"),
        _check("seat", "starts_before_it_ends", "starts_on < ends_on"),
    )
    filled = "state = 'filled'"
    for name, columns, where in (
        ("uq_seat_citizen", ["committee_id", "citizen_id"], filled),
        ("uq_seat_chair", ["committee_id"], f"{filled} AND is_chair"),
    ):
        op.create_index(name, "seat", columns, unique=True, postgresql_where=sa.text(where))
    op.create_index("ix_seat_citizen_id", "seat", ["citizen_id"])
    op.create_table(
        "committee_reserve",
        *_of_committee("committee_reserve"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("committee_id", "position", name="pk_committee_reserve"),
        sa.UniqueConstraint(
            "committee_id", "pseudonym", name="uq_committee_reserve_committee_id_pseudonym"
        ),
        _check("committee_reserve", "state_known", "state IN ('waiting', 'moved_up', 'declined')"),
        _check("committee_reserve", "numbered", "position >= 1"),
    )
