"""Proposals: what citizens ask their city to build; their texts, people, places, assessments."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geography
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from mvote.base import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATES = (
    "'draft', 'submitted', 'returned', 'lapsed', 'assessed', 'under_review', 'approved',"
    " 'rejected', 'appealed', 'withdrawn', 'merged', 'split', 'on_ballot', 'struck', 'funded',"
    " 'reserve', 'not_funded', 'enacted', 'reduced', 'dropped'"
)
DEAREST = 10_000_000_000_000
LARGEST = 10 * 1024 * 1024
TYPES = "'application/pdf', 'image/png', 'image/jpeg', 'image/webp'"
CHECKS = ("lawful", "within_competence", "feasible", "no_duplicate", "land_available")

GRANTS = {
    "proposal": "SELECT, INSERT, UPDATE (reference, number, state, revision, department_id,"
    " due_at, version, submitted_at, state_since, appealed_at, merged_into)",
    "proposal_revision": "SELECT, INSERT, UPDATE (content, heading, kind, amount, area_codes,"
    " bigrams, submitted_at)",
    "proposal_author": "SELECT, INSERT, UPDATE (accepted_at), DELETE",
    "proposal_support": "SELECT, INSERT, DELETE",
    "proposal_contact": "SELECT, INSERT, UPDATE (contact), DELETE",
    "authors_consent": "SELECT, INSERT",
    "proposal_place": "SELECT, INSERT, DELETE",
    "assessment": "SELECT, INSERT, UPDATE",
    "proposal_return": "SELECT, INSERT",
    "proposal_appeal": "SELECT, INSERT",
    "proposal_strike": "SELECT",
    "stored_file": "SELECT, INSERT",
}

# The same pairs as TRANSITIONS in mvote/budget/proposal.py, and what must be true with them.
PROPOSAL_GUARD = """
CREATE FUNCTION proposal_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    found_feasible boolean;
    by_two_officers boolean :=
        current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID);
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a proposal is never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR num_nonnulls(NEW.reference, NEW.number, NEW.revision,
                NEW.submitted_at, NEW.appealed_at, NEW.merged_into) > 0 THEN
            RAISE EXCEPTION 'a proposal begins as a draft' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.id, OLD.cycle_id, OLD.created_at, OLD.carried_from, OLD.split_from)
            IS DISTINCT FROM
            (NEW.id, NEW.cycle_id, NEW.created_at, NEW.carried_from, NEW.split_from)
        OR OLD.reference IS NOT NULL AND (OLD.reference, OLD.number, OLD.submitted_at)
            IS DISTINCT FROM (NEW.reference, NEW.number, NEW.submitted_at)
        OR OLD.appealed_at IS NOT NULL AND NEW.appealed_at IS DISTINCT FROM OLD.appealed_at
        OR (NEW.state <> 'submitted' OR OLD.state = 'submitted')
            AND NEW.revision IS DISTINCT FROM OLD.revision THEN
        RAISE EXCEPTION 'where a proposal comes from, its reference and its times do not change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = NEW.state THEN
        RETURN NEW;
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
        ('draft', 'submitted'), ('draft', 'withdrawn'),
        ('submitted', 'returned'), ('submitted', 'assessed'),
        ('returned', 'submitted'), ('returned', 'lapsed'),
        ('assessed', 'under_review'), ('assessed', 'rejected'),
        ('under_review', 'approved'), ('under_review', 'rejected'), ('under_review', 'returned'),
        ('rejected', 'under_review'), ('rejected', 'appealed'),
        ('appealed', 'under_review'), ('appealed', 'rejected'),
        ('submitted', 'withdrawn'), ('returned', 'withdrawn'), ('assessed', 'withdrawn'),
        ('under_review', 'withdrawn'), ('approved', 'withdrawn'),
        ('submitted', 'merged'), ('returned', 'merged'), ('assessed', 'merged'),
        ('under_review', 'merged'), ('approved', 'merged'),
        ('submitted', 'split'), ('returned', 'split'), ('assessed', 'split'),
        ('under_review', 'split'), ('approved', 'split'),
        ('approved', 'on_ballot'), ('on_ballot', 'struck'),
        ('on_ballot', 'funded'), ('on_ballot', 'reserve'), ('on_ballot', 'not_funded'),
        ('reserve', 'funded'),
        ('funded', 'enacted'), ('funded', 'reduced'), ('funded', 'dropped')
    ) THEN
        RAISE EXCEPTION 'a proposal never goes from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'submitted' AND NOT EXISTS (
            SELECT 1 FROM proposal_revision WHERE proposal_id = NEW.id AND n = NEW.revision
                AND submitted_at IS NOT NULL AND n > coalesce(OLD.revision, 0)) THEN
        RAISE EXCEPTION 'a proposal is submitted with a new text that was submitted'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = 'submitted' AND NEW.state = 'assessed' OR OLD.state = 'assessed'
            AND NEW.state IN ('under_review', 'rejected') THEN
        SELECT is_feasible INTO found_feasible FROM assessment
            WHERE proposal_id = NEW.id AND revision = NEW.revision AND confirmed_at IS NOT NULL;
        IF found_feasible IS NULL OR NEW.state = 'under_review' AND NOT found_feasible
            OR NEW.state = 'rejected' AND found_feasible THEN
            RAISE EXCEPTION 'it goes where its confirmed assessment leads'
                USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    IF NEW.state = 'struck' AND NOT by_two_officers THEN
        RAISE EXCEPTION 'only two officers strike a project from the ballot'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.state = 'appealed' AND OLD.appealed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a proposal is appealed once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# The row, then the state, then the grant, the act and its public reason: all or nothing. False
# where the state does not allow it. It stays on the ballot, and is never funded.
STRIKE_PROPOSAL = """
CREATE FUNCTION strike_proposal(p_proposal_id uuid, p_approval_id uuid, p_by uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    state_now text;
    approved jsonb;
BEGIN
    SELECT state INTO state_now FROM proposal WHERE id = p_proposal_id FOR UPDATE;
    IF state_now IS DISTINCT FROM 'on_ballot' THEN
        RETURN false;
    END IF;
    approved := grant_approval(p_approval_id, 'proposal:strike', p_proposal_id, p_by);
    UPDATE proposal SET state = 'struck', state_since = clock_timestamp(), due_at = NULL,
        version = version + 1 WHERE id = p_proposal_id;
    INSERT INTO proposal_strike (proposal_id, text, at)
        VALUES (p_proposal_id, approved -> 'text', clock_timestamp());
    RETURN true;
END $$
"""
STRIKE = "strike_proposal(uuid, uuid, uuid)"

REVISION_GUARD = """
CREATE FUNCTION proposal_revision_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.submitted_at IS NOT NULL
        OR (OLD.proposal_id, OLD.n, OLD.created_at)
            IS DISTINCT FROM (NEW.proposal_id, NEW.n, NEW.created_at) THEN
        RAISE EXCEPTION 'a submitted text never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

# The places are a part of the text.
PLACE_GUARD = """
CREATE FUNCTION proposal_place_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    place proposal_place := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF TG_OP = 'UPDATE' OR EXISTS (
            SELECT 1 FROM proposal_revision WHERE proposal_id = place.proposal_id
                AND n = place.revision AND submitted_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the places of a submitted text never change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN place;
END $$
"""

ASSESSMENT_GUARD = """
CREATE FUNCTION assessment_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.confirmed_by IS NOT NULL THEN
            RAISE EXCEPTION 'one officer finds before another confirms'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.confirmed_by IS NOT NULL
        OR (OLD.proposal_id, OLD.revision) IS DISTINCT FROM (NEW.proposal_id, NEW.revision)
        OR NEW.confirmed_by IS NOT NULL AND (
            to_jsonb(OLD) - 'confirmed_by' - 'confirmed_at' - 'is_feasible'
            <> to_jsonb(NEW) - 'confirmed_by' - 'confirmed_at' - 'is_feasible'
            OR NOT EXISTS (SELECT 1 FROM role_grant WHERE citizen_id = NEW.confirmed_by
                AND role = 'officer' AND department_id = NEW.department_id)) THEN
        RAISE EXCEPTION 'what was found is confirmed as it stands, by an officer of the department'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
GUARDS = {
    "proposal_guard": (PROPOSAL_GUARD, "proposal", "INSERT OR UPDATE OR DELETE"),
    "proposal_revision_guard": (REVISION_GUARD, "proposal_revision", "UPDATE OR DELETE"),
    "proposal_place_guard": (PLACE_GUARD, "proposal_place", "INSERT OR UPDATE OR DELETE"),
    "assessment_guard": (ASSESSMENT_GUARD, "assessment", "INSERT OR UPDATE OR DELETE"),
}
INSERT_ONLY = ("proposal_return", "proposal_appeal", "proposal_strike", "stored_file")


def upgrade() -> None:
    _create_proposal()
    _create_revision()
    _create_people()
    _create_places()
    _create_assessing()
    _create_files()
    for name, (body, table, events) in GUARDS.items():
        op.execute(sa.text(body.replace(":", "\\:")))
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {events} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    op.execute(sa.text(STRIKE_PROPOSAL.replace(":", "\\:")))
    op.execute(f"REVOKE ALL ON FUNCTION {STRIKE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {STRIKE} TO mvote_api")
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION insert_only()"
        )
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO mvote_api")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {STRIKE}")
    for table in reversed(GRANTS):
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


def _create_proposal() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String()),
        sa.Column("number", sa.Integer()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer()),
        sa.Column("department_id", sa.Uuid()),
        sa.Column("due_at", UtcDateTime()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_at", UtcDateTime()),
        sa.Column("state_since", UtcDateTime(), nullable=False),
        sa.Column("appealed_at", UtcDateTime()),
        sa.Column("carried_from", sa.Uuid()),
        sa.Column("split_from", sa.Uuid()),
        sa.Column("merged_into", sa.Uuid()),
        sa.PrimaryKeyConstraint("id", name="pk_proposal"),
        sa.UniqueConstraint("cycle_id", "reference", name="uq_proposal_cycle_id_reference"),
        sa.UniqueConstraint("cycle_id", "number", name="uq_proposal_cycle_id_number"),
        _refers("proposal", "cycle_id", "cycle.id"),
        _refers("proposal", "department_id", "department.id"),
        *(
            _refers("proposal", column, "proposal.id")
            for column in ("carried_from", "split_from", "merged_into")
        ),
        *(_check("proposal", name, condition) for name, condition in _RULES_OF_PROPOSALS.items()),
    )
    op.create_index("ix_proposal_cycle_id_state", "proposal", ["cycle_id", "state"])
    op.create_index("ix_proposal_state_due_at", "proposal", ["state", "due_at"])


_RULES_OF_PROPOSALS = {
    "state_known": f"state IN ({STATES})",
    "submitted_whole": "state IN ('draft', 'withdrawn') OR (reference IS NOT NULL"
    " AND revision IS NOT NULL AND submitted_at IS NOT NULL)",
    "draft_without_reference": "state <> 'draft' OR reference IS NULL",
    "numbered_in_reference": "number IS NULL OR reference IS NOT NULL",
    "merged_into_one": "(state = 'merged') = (merged_into IS NOT NULL)",
    "merged_into_another": "merged_into <> id",
    "waits_until": "state NOT IN ('returned', 'appealed') OR due_at IS NOT NULL",
    "appealed_at_set": "state <> 'appealed' OR appealed_at IS NOT NULL",
}


def _many(name: str, of: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, ARRAY(of), nullable=False, server_default=sa.text("'{}'"))


def _create_revision() -> None:
    table = "proposal_revision"
    op.create_table(
        table,
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("heading", sa.String()),
        sa.Column("kind", sa.String()),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        _many("area_codes", sa.Text()),
        _many("bigrams", sa.Integer()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("proposal_id", "n", name=f"pk_{table}"),
        _refers(table, "proposal_id", "proposal.id"),
        _check(table, "numbered", "n >= 1"),
        _check(table, "amount_in_range", f"amount BETWEEN 0 AND {DEAREST}"),
    )
    op.create_index(
        "uq_proposal_revision_written_at",
        table,
        ["proposal_id"],
        unique=True,
        postgresql_where=sa.text("submitted_at IS NULL"),
    )
    op.create_index("ix_proposal_revision_bigrams", table, ["bigrams"], postgresql_using="gin")


def _of_person(table: str) -> list[sa.Column[object] | sa.Constraint]:
    """A proposal and a citizen, with whose account the row goes."""
    return [
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        _refers(table, "proposal_id", "proposal.id"),
        _refers(table, "citizen_id", "citizen.id", ondelete="CASCADE"),
    ]


def _create_people() -> None:
    op.create_table(
        "proposal_author",
        *_of_person("proposal_author"),
        sa.Column("invited_at", UtcDateTime(), nullable=False),
        sa.Column("accepted_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("proposal_id", "citizen_id", name="pk_proposal_author"),
        _check("proposal_author", "accepted_after_invited", "accepted_at >= invited_at"),
    )
    op.create_table(
        "proposal_support",
        *_of_person("proposal_support"),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", "citizen_id", name="pk_proposal_support"),
    )
    for table in ("proposal_author", "proposal_support"):
        op.create_index(f"ix_{table}_citizen_id", table, ["citizen_id"])
    op.create_table(
        "proposal_contact",
        *_of_person("proposal_contact"),
        sa.Column("contact", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", "citizen_id", name="pk_proposal_contact"),
    )
    op.create_table(
        "authors_consent",
        *_of_person("authors_consent"),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("arguments_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint(
            "proposal_id", "act", "arguments_hash", "citizen_id", name="pk_authors_consent"
        ),
        _check("authors_consent", "act_known", "act IN ('withdraw', 'merge', 'split')"),
        _check("authors_consent", "arguments_hash_whole", "octet_length(arguments_hash) = 32"),
    )


def _refers_to_text(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["proposal_id", "revision"],
        ["proposal_revision.proposal_id", "proposal_revision.n"],
        name=f"fk_{table}_proposal_id_revision",
    )


def _create_places() -> None:
    table = "proposal_place"
    op.create_table(
        table,
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.Uuid()),
        sa.Column("shape", Geography("GEOMETRY", srid=4326, spatial_index=False)),
        sa.PrimaryKeyConstraint("proposal_id", "revision", "position", name=f"pk_{table}"),
        _refers_to_text(table),
        _refers(table, "area_id", "area.id"),
        _check(table, "shape_or_area", "num_nonnulls(shape, area_id) = 1"),
    )
    op.create_index("ix_proposal_place_shape", table, ["shape"], postgresql_using="gist")


def _create_assessing() -> None:
    table = "assessment"
    op.create_table(
        table,
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in CHECKS),
        sa.Column("reasons", JSONB(), nullable=False),
        sa.Column("assessed_amount", sa.BigInteger(), nullable=False),
        sa.Column("min_useful_amount", sa.BigInteger()),
        sa.Column("budget_line", sa.String()),
        sa.Column("site_visit", JSONB()),
        sa.Column(
            "is_feasible",
            sa.Boolean(),
            sa.Computed(" AND ".join(f"{name} <> 'no'" for name in CHECKS), persisted=True),
            nullable=False,
        ),
        sa.Column("found_by", sa.Uuid(), nullable=False),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid()),
        sa.Column("confirmed_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("proposal_id", "revision", name="pk_assessment"),
        _refers_to_text(table),
        _refers(table, "department_id", "department.id"),
        *(_check(table, f"{n}_known", f"{n} IN ('yes', 'no', 'conditional')") for n in CHECKS),
        _check(table, "amount_in_range", f"assessed_amount BETWEEN 0 AND {DEAREST}"),
        _check(table, "useful_within", "min_useful_amount BETWEEN 0 AND assessed_amount"),
        _check(table, "by_two_persons", "confirmed_by <> found_by"),
        _check(table, "confirmed_by_one", "(confirmed_by IS NULL) = (confirmed_at IS NULL)"),
    )
    op.create_table(
        "proposal_return",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("missing", JSONB(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proposal_return"),
        _refers("proposal_return", "proposal_id", "proposal.id"),
    )
    op.create_index("ix_proposal_return_proposal_id", "proposal_return", ["proposal_id"])
    op.create_table(
        "proposal_appeal",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("grounds", JSONB(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", name="pk_proposal_appeal"),
        _refers("proposal_appeal", "proposal_id", "proposal.id"),
    )
    op.create_table(
        "proposal_strike",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("text", JSONB(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", name="pk_proposal_strike"),
        _refers("proposal_strike", "proposal_id", "proposal.id"),
    )


def _create_files() -> None:
    table = "stored_file"
    op.create_table(
        table,
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("kept_by", sa.Uuid(), nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=f"pk_{table}"),
        _check(table, "sha256_of_the_bytes", "sha256 = sha256(content)"),
        _check(table, "small_enough", f"octet_length(content) <= {LARGEST}"),
        _check(table, "media_type_known", f"media_type IN ({TYPES})"),
    )
    op.create_index("ix_stored_file_kept_by", table, ["kept_by"])
    op.execute("ALTER TABLE stored_file ALTER COLUMN content SET STORAGE EXTERNAL")
