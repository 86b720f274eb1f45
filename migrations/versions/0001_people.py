"""The journal, and all that is kept of people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

# What the web's login may do, table by table; the other logins have nothing to do with people.
# Rows that go with an account go by cascade, for which the owner's rights count.
GRANTS = {
    "journal": "SELECT, INSERT",
    "department": "SELECT, INSERT",
    "citizen": "SELECT, INSERT, UPDATE (phone_sealed, language), DELETE",
    "role_grant": "SELECT, INSERT, DELETE",
    "consent": "SELECT, INSERT, UPDATE (withdrawn_at)",
    "anchor": "SELECT, INSERT",
    "attribute": "SELECT, INSERT, UPDATE, DELETE",
    "tombstone": "SELECT, INSERT, UPDATE (until), DELETE",
    "challenge": "SELECT, INSERT, UPDATE (tries, spent_at), DELETE",
    "allowance": "SELECT, INSERT, UPDATE (used, span_ends_at), DELETE",
    "sign_in": "SELECT, INSERT, UPDATE (expires_at), DELETE",
    "refresh_token": "SELECT, INSERT, UPDATE (used_at)",
}

ATTRIBUTE_NAMES = (
    "'birth_year', 'gender', 'occupation', 'home_area', 'work_area', 'business_area',"
    " 'study_area', 'public_body_staff'"
)

# Later migrations put the same guard on their own append-only tables.
GUARD = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""
GUARD_JOURNAL = """
CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    _create_journal()
    _create_citizens()
    _create_roles()
    _create_what_is_known()
    _create_anchors()
    _create_signing_in()
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO mvote_api")


def downgrade() -> None:
    for table in reversed(GRANTS):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change()")


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), nullable=False)


def _of_citizen(name: str) -> tuple[sa.Column[object], sa.ForeignKeyConstraint]:
    """The column of a table whose rows go when the account goes."""
    key = sa.ForeignKeyConstraint(
        ["citizen_id"], ["citizen.id"], name=f"fk_{name}_citizen_id", ondelete="CASCADE"
    )
    return sa.Column("citizen_id", sa.Uuid(), nullable=False), key


def _whole(table: str, column: str) -> sa.CheckConstraint:
    """A whole SHA-256 or HMAC-SHA256."""
    condition = f"octet_length({column}) = 32"
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{column}_whole"))


def _create_journal() -> None:
    op.create_table(
        "journal",
        _id(),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid()),
        sa.Column("facts", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
    )
    op.create_index("ix_journal_subject_id", "journal", ["subject_id"])
    op.execute(GUARD)
    op.execute(GUARD_JOURNAL)


def _create_citizens() -> None:
    op.create_table(
        "citizen",
        _id(),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_citizen"),
        sa.UniqueConstraint("phone_hash", name="uq_citizen_phone_hash"),
        _whole("citizen", "phone_hash"),
        sa.CheckConstraint("language IN ('ko', 'en')", name=op.f("ck_citizen_language_known")),
    )


def _create_roles() -> None:
    op.create_table(
        "department",
        _id(),
        sa.Column("name", JSONB(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_department"),
    )
    op.create_table(
        "role_grant",
        _id(),
        *_of_citizen("role_grant"),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("department_id", sa.Uuid()),
        sa.Column("granted_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_role_grant"),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name="fk_role_grant_department_id"
        ),
        sa.CheckConstraint(
            "role IN ('officer', 'administrator')", name=op.f("ck_role_grant_role_known")
        ),
        sa.CheckConstraint(
            "(role = 'officer') = (department_id IS NOT NULL)",
            name=op.f("ck_role_grant_officer_of_one"),
        ),
    )
    op.create_index("ix_role_grant_citizen_id", "role_grant", ["citizen_id"])
    _create_one_of_a_kind("role_grant_officer", ["citizen_id", "department_id"], "role = 'officer'")
    _create_one_of_a_kind("role_grant_administrator", ["citizen_id"], "role = 'administrator'")


def _create_one_of_a_kind(name: str, columns: list[str], where: str) -> None:
    """A partial unique index: one role, one consent in force."""
    table = "role_grant" if name.startswith("role_grant") else "consent"
    op.create_index(f"uq_{name}", table, columns, unique=True, postgresql_where=sa.text(where))


def _create_what_is_known() -> None:
    op.create_table(
        "consent",
        _id(),
        *_of_citizen("consent"),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
        sa.Column("withdrawn_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        sa.CheckConstraint(
            "purpose ~ '^[a-z][a-z0-9_]{0,39}$'", name=op.f("ck_consent_purpose_named")
        ),
        sa.CheckConstraint(
            "withdrawn_at >= given_at", name=op.f("ck_consent_withdrawn_after_given")
        ),
    )
    op.create_index("ix_consent_citizen_id", "consent", ["citizen_id"])
    _create_one_of_a_kind("consent_in_force", ["citizen_id", "purpose"], "withdrawn_at IS NULL")
    op.create_table(
        "attribute",
        *_of_citizen("attribute"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", JSONB(), nullable=False),
        sa.Column("lineage", ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.Column("verified_by", sa.Uuid()),
        sa.Column("verified_at", INSTANT),
        sa.Column("verified_how", sa.String()),
        sa.PrimaryKeyConstraint("citizen_id", "name", name="pk_attribute"),
        *_attribute_checks(),
    )


def _attribute_checks() -> list[sa.CheckConstraint]:
    conditions = {
        "name_known": f"name IN ({ATTRIBUTE_NAMES})",
        "verifier_if_verified": "(verified_by IS NULL) = (verified_at IS NULL)",
        "how_if_verified": "verified_how IS NULL OR verified_at IS NOT NULL",
        "lineage_if_area": "(right(name, 5) = '_area') = (cardinality(lineage) > 0)",
    }
    return [
        sa.CheckConstraint(condition, name=op.f(f"ck_attribute_{name}"))
        for name, condition in conditions.items()
    ]


def _create_anchors() -> None:
    op.create_table(
        "anchor",
        *_of_citizen("anchor"),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("anchor", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", "since", name="pk_anchor"),
        _whole("anchor", "anchor"),
    )
    op.create_table(
        "tombstone",
        sa.Column("phone_hash", sa.LargeBinary(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("anchor", sa.LargeBinary(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("phone_hash", "since", name="pk_tombstone"),
        _whole("tombstone", "phone_hash"),
        _whole("tombstone", "anchor"),
    )
    op.create_index("ix_tombstone_until", "tombstone", ["until"])


def _create_signing_in() -> None:
    op.create_table(
        "challenge",
        _id(),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("spent_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_challenge"),
        _whole("challenge", "phone_hash"),
        _whole("challenge", "code_hash"),
        sa.CheckConstraint("tries BETWEEN 0 AND 5", name=op.f("ck_challenge_few_tries")),
    )
    op.create_index("ix_challenge_phone_hash", "challenge", ["phone_hash"])
    op.create_index("ix_challenge_expires_at", "challenge", ["expires_at"])
    op.create_table(
        "allowance",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject_hash", sa.LargeBinary(), nullable=False),
        sa.Column("span_ends_at", INSTANT, nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "subject_hash", name="pk_allowance"),
        _whole("allowance", "subject_hash"),
    )
    op.create_index("ix_allowance_span_ends_at", "allowance", ["span_ends_at"])
    _create_sessions()


def _create_sessions() -> None:
    op.create_table(
        "sign_in",
        _id(),
        *_of_citizen("sign_in"),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in"),
    )
    op.create_index("ix_sign_in_citizen_id", "sign_in", ["citizen_id"])
    op.create_index("ix_sign_in_expires_at", "sign_in", ["expires_at"])
    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        sa.PrimaryKeyConstraint("token_hash", name="pk_refresh_token"),
        sa.ForeignKeyConstraint(
            ["sign_in_id"], ["sign_in.id"], name="fk_refresh_token_sign_in_id", ondelete="CASCADE"
        ),
        _whole("refresh_token", "token_hash"),
    )
    op.create_index("ix_refresh_token_sign_in_id", "refresh_token", ["sign_in_id"])
