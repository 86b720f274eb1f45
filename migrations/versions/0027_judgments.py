"""Judgments: recorded votes and their count, ranked lists, recounts, reserves sworn in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from mvote.base import UtcDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

GRANTS = {
    "shortlist": "SELECT, INSERT, UPDATE (state, carried, closed_at, closed_by)",
    "shortlist_pulled_out": "SELECT, INSERT",
    "shortlist_vote": "SELECT, INSERT, UPDATE (vote, reason, at)",
    "judgment": "SELECT, INSERT, UPDATE (state, meeting_id, roll, yes, no, abstain, carried,"
    " closed_at, closed_by)",
    "judgment_vote": "SELECT, INSERT, UPDATE (vote, reason, at)",
    "sworn_in": "SELECT, INSERT",
    "judgment_recount": "SELECT, INSERT",
}
INSERT_ONLY = (
    "shortlist_pulled_out", "sworn_in", "judgment_recount",
)  # fmt: skip


# Closing recounts what was recorded: nobody is counted who is recused, gone or a stranger.
JUDGMENT_GUARD = """
CREATE FUNCTION judgment_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    counted bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' OR NOT EXISTS (
            SELECT 1 FROM proposal JOIN committee USING (cycle_id)
            WHERE proposal.id = NEW.proposal_id AND committee.id = NEW.committee_id) THEN
            RAISE EXCEPTION 'a committee begins to judge proposals of its own cycle'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.state <> 'open' OR (OLD.id, OLD.proposal_id, OLD.committee_id,
            OLD.motion, OLD.revision, OLD.missing, OLD.shortlist_id, OLD.opened_at)
        IS DISTINCT FROM (NEW.id, NEW.proposal_id, NEW.committee_id,
            NEW.motion, NEW.revision, NEW.missing, NEW.shortlist_id, NEW.opened_at) THEN
        RAISE EXCEPTION 'a judgment is closed once, and what it is about never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'judgment_open';
    END IF;
    IF NEW.state <> 'closed' THEN
        RETURN NEW;
    END IF;
    PERFORM 1 FROM proposal WHERE id = NEW.proposal_id FOR UPDATE;  -- recusals wait
    SELECT ARRAY[count(*) FILTER (WHERE vote = 'yes'), count(*) FILTER (WHERE vote = 'no'),
            count(*) FILTER (WHERE vote = 'abstain')] INTO counted
        FROM judgment_vote WHERE judgment_id = NEW.id AND seat_id = ANY (NEW.roll);
    IF counted IS DISTINCT FROM ARRAY[NEW.yes, NEW.no, NEW.abstain]::bigint[]
        OR EXISTS (SELECT 1 FROM unnest(NEW.roll) AS entitled (id) WHERE NOT EXISTS (
            SELECT 1 FROM seat WHERE seat.id = entitled.id AND committee_id = NEW.committee_id
                AND seat.state = 'filled' AND (has_vote OR EXISTS (SELECT 1 FROM sworn_in
                    WHERE judgment_id = NEW.id AND seat_id = seat.id)))
            OR EXISTS (SELECT 1 FROM recusal
                WHERE proposal_id = NEW.proposal_id AND seat_id = entitled.id)) THEN
        RAISE EXCEPTION 'the count is that of the recorded votes of those entitled'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
JUDGMENT_VOTE_GUARD = """
CREATE FUNCTION judgment_vote_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    judged uuid;
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE'
        AND (OLD.judgment_id, OLD.seat_id) IS DISTINCT FROM (NEW.judgment_id, NEW.seat_id) THEN
        RAISE EXCEPTION 'a vote is changed, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT proposal_id INTO judged FROM judgment WHERE id = NEW.judgment_id;
    PERFORM refuse_the_recused(judged, NEW.seat_id);  -- behind it nobody closes
    IF NOT EXISTS (SELECT 1 FROM judgment JOIN seat USING (committee_id)
        WHERE judgment.id = NEW.judgment_id AND judgment.state = 'open'
            AND seat.id = NEW.seat_id AND seat.state = 'filled'
            AND (has_vote OR EXISTS (SELECT 1 FROM sworn_in
                WHERE judgment_id = NEW.judgment_id AND seat_id = NEW.seat_id))) THEN
        RAISE EXCEPTION 'who judges votes until the judgment is closed'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'judgment_open';
    END IF;
    RETURN NEW;
END $$
"""
SHORTLIST_GUARD = """
CREATE FUNCTION shortlist_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'a list begins open' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.state <> 'open' OR (OLD.id, OLD.committee_id, OLD.motion,
            OLD.ranked, OLD.not_chosen, OLD.proposed_by, OLD.opened_at)
        IS DISTINCT FROM (NEW.id, NEW.committee_id, NEW.motion,
            NEW.ranked, NEW.not_chosen, NEW.proposed_by, NEW.opened_at) THEN
        RAISE EXCEPTION 'a list is closed once, and what it says never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'shortlist_open';
    END IF;
    RETURN NEW;
END $$
"""
# Votes and what is pulled out wait for whoever closes the list, and find it closed.
SHORTLIST_VOTE_GUARD = """
CREATE FUNCTION shortlist_vote_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE'
        AND (OLD.shortlist_id, OLD.seat_id) IS DISTINCT FROM (NEW.shortlist_id, NEW.seat_id) THEN
        RAISE EXCEPTION 'a vote is changed, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM 1 FROM shortlist WHERE id = NEW.shortlist_id FOR SHARE;
    IF NOT EXISTS (SELECT 1 FROM shortlist JOIN seat USING (committee_id)
        WHERE shortlist.id = NEW.shortlist_id AND shortlist.state = 'open'
            AND seat.id = NEW.seat_id AND seat.state = 'filled' AND has_vote) THEN
        RAISE EXCEPTION 'who sits with a vote votes until the list is closed'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'shortlist_open';
    END IF;
    RETURN NEW;
END $$
"""
PULLED_OUT_GUARD = """
CREATE FUNCTION shortlist_pulled_out_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM shortlist WHERE id = NEW.shortlist_id FOR SHARE;
    IF NOT EXISTS (SELECT 1 FROM shortlist WHERE id = NEW.shortlist_id AND state = 'open'
        AND NEW.proposal_id = ANY (ranked || not_chosen)) THEN
        RAISE EXCEPTION 'what is on an open list is pulled out of it'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'shortlist_open';
    END IF;
    RETURN NEW;
END $$
"""

# A committee's recorded vote moves a proposal, nobody's word. Where a cycle has no review, there
# is nothing to judge.
PROPOSAL_JUDGED_GUARD = """
CREATE FUNCTION proposal_judged_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
            ('under_review', 'approved'), ('under_review', 'rejected'),
            ('under_review', 'returned'), ('rejected', 'under_review'),
            ('appealed', 'under_review'), ('appealed', 'rejected'), ('approved', 'under_review'))
        OR NEW.state = 'approved' AND EXISTS (SELECT 1 FROM cycle WHERE id = NEW.cycle_id
            AND jsonb_typeof(definition -> 'review') IS DISTINCT FROM 'object')
        OR EXISTS (SELECT 1 FROM judgment_recount AS again
            JOIN judgment ON judgment.id = again.judgment_id
            WHERE judgment.proposal_id = NEW.id AND again.at >= OLD.state_since)
        OR EXISTS (SELECT 1 FROM judgment WHERE proposal_id = NEW.id AND state = 'closed'
            AND closed_at >= OLD.state_since
            AND (OLD.state, NEW.state, motion, carried) IN (
                ('under_review', 'approved', 'approve', true),
                ('under_review', 'approved', 'confirm', true),
                ('under_review', 'rejected', 'approve', false),
                ('under_review', 'rejected', 'confirm', false),
                ('under_review', 'rejected', 'reject', true),
                ('under_review', 'returned', 'return', true),
                ('rejected', 'under_review', 'call_up', true),
                ('appealed', 'under_review', 'appeal', true),
                ('appealed', 'rejected', 'appeal', false))) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a proposal goes where its judgment leads'
        USING ERRCODE = 'restrict_violation';
END $$
"""

GUARDS = {
    "judgment_guard": (JUDGMENT_GUARD, "judgment", "INSERT OR UPDATE OR DELETE"),
    "judgment_vote_guard": (
        JUDGMENT_VOTE_GUARD, "judgment_vote", "INSERT OR UPDATE OR DELETE",
    ),
    "shortlist_guard": (SHORTLIST_GUARD, "shortlist", "INSERT OR UPDATE OR DELETE"),
    "shortlist_vote_guard": (
        SHORTLIST_VOTE_GUARD, "shortlist_vote", "INSERT OR UPDATE OR DELETE",
    ),
    "shortlist_pulled_out_guard": (PULLED_OUT_GUARD, "shortlist_pulled_out", "INSERT"),
    "proposal_judged_guard": (PROPOSAL_JUDGED_GUARD, "proposal", "UPDATE OF state"),
}  # fmt: skip

# Others may have changed these functions since they were made: only these words are replaced.
APPROVED = "('under_review', 'approved'), ('under_review', 'rejected'),"
REOPENED = f"{APPROVED} ('approved', 'under_review'),"
DRAWN = "IF NEW.kind = 'citizen'\n            AND EXISTS"
SWORN_IN = """IF NEW.kind = 'reserve' AND (NEW.has_vote OR NOT EXISTS (
            SELECT 1 FROM committee_reserve AS waiting
                JOIN committee AS theirs ON theirs.id = waiting.committee_id
                JOIN committee AS mine ON mine.cycle_id = theirs.cycle_id
                JOIN application ON application.committee_id = theirs.id
                    AND application.pseudonym = waiting.pseudonym
            WHERE mine.id = NEW.committee_id AND waiting.pseudonym = NEW.pseudonym
                AND waiting.state = 'waiting' AND application.citizen_id = NEW.citizen_id)) THEN
            RAISE EXCEPTION 'reserves are sworn in, in the order of the draw'
                USING ERRCODE = 'restrict_violation';
        END IF;
        """


KINDS = "kind IN ('citizen', 'expert', 'official'"


def upgrade() -> None:
    _create_shortlist()
    _create_judgment()
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
    _replace("proposal_guard", APPROVED, REOPENED)
    _replace("seat_guard", DRAWN, SWORN_IN + DRAWN)
    _kinds_of_seats(f"{KINDS}, 'reserve')")
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO mvote_api")


def downgrade() -> None:
    op.execute("DROP TRIGGER proposal_judged_guard ON proposal")
    for table in reversed(GRANTS):
        op.drop_table(table)
    for name in GUARDS:
        op.execute(f"DROP FUNCTION {name}()")
    _replace("seat_guard", SWORN_IN + DRAWN, DRAWN)
    _replace("proposal_guard", REOPENED, APPROVED)
    op.execute("ALTER TABLE seat DISABLE TRIGGER seat_guard")
    op.execute("UPDATE seat SET kind = 'expert' WHERE kind = 'reserve'")  # without a vote, too
    op.execute("ALTER TABLE seat ENABLE TRIGGER seat_guard")
    _kinds_of_seats(f"{KINDS})")


def _replace(function: str, old: str, new: str) -> None:
    """Put *new* in the place of *old* in a function's body, which must have it once."""
    [(definition,)] = op.get_bind().execute(
        sa.text("SELECT pg_get_functiondef(CAST(:name AS regproc))"), {"name": function}
    )
    if definition.count(old) != 1:
        raise RuntimeError(f"{function} is not as it was")
    op.execute(sa.text(definition.replace(old, new).replace(":", "\\:")))


def _kinds_of_seats(condition: str) -> None:
    op.drop_constraint(op.f("ck_seat_kind_known"), "seat")
    op.create_check_constraint(op.f("ck_seat_kind_known"), "seat", condition)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _refers(
    table: str, to: str, column: str | None = None, *, is_null: bool = False
) -> list[sa.schema.SchemaItem]:
    """A column that refers to the table *to*."""
    column = column or f"{to}_id"
    return [
        sa.Column(column, sa.Uuid(), nullable=is_null),
        sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}"),
    ]


def _id(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def _at(name: str, *, is_null: bool = False) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(), nullable=is_null)


def _words(name: str, kind: sa.types.TypeEngine[str] | None = None) -> sa.Column[str]:
    return sa.Column(name, kind or sa.String(), nullable=False)


def _vote(table: str, of: str) -> None:
    op.create_table(
        table,
        *_refers(table, of),
        *_refers(table, "seat"),
        _words("vote"),
        sa.Column("reason", JSONB()),
        _at("at"),
        sa.PrimaryKeyConstraint(f"{of}_id", "seat_id", name=f"pk_{table}"),
        _check(table, "vote_known", "vote IN ('yes', 'no', 'abstain')"),
    )
    op.create_index(f"ix_{table}_seat_id", table, ["seat_id"])


def _create_shortlist() -> None:
    op.create_table(
        "shortlist",
        *_id("shortlist"),
        *_refers("shortlist", "committee"),
        _words("motion"),
        sa.Column("ranked", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("not_chosen", ARRAY(sa.Uuid()), nullable=False),
        *_refers("shortlist", "seat", "proposed_by"),
        *_refers("shortlist", "meeting", is_null=True),
        _words("state"),
        _at("opened_at"),
        sa.Column("carried", sa.Boolean()),
        _at("closed_at", is_null=True),
        *_refers("shortlist", "seat", "closed_by", is_null=True),
        _check("shortlist", "motion_known", "motion IN ('approve', 'confirm')"),
        _check("shortlist", "state_known", "state IN ('open', 'closed', 'abandoned')"),
        _check("shortlist", "ranks_something", "cardinality(ranked) >= 1"),
        _check("shortlist", "chosen_or_not", "NOT ranked && not_chosen"),
        _check(
            "shortlist",
            "counted",
            "num_nonnulls(carried, closed_at, closed_by)"
            " = CASE state WHEN 'closed' THEN 3 ELSE 0 END",
        ),
    )
    op.create_index(
        "uq_shortlist_open", "shortlist", ["committee_id"], unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )  # fmt: skip
    op.create_index("ix_shortlist_committee_id", "shortlist", ["committee_id"])
    table = "shortlist_pulled_out"
    op.create_table(
        table,
        *_refers(table, "shortlist"),
        *_refers(table, "proposal"),
        *_refers(table, "seat"),
        sa.Column("reason", JSONB()),
        _at("at"),
        sa.PrimaryKeyConstraint("shortlist_id", "proposal_id", name=f"pk_{table}"),
    )
    _vote("shortlist_vote", "shortlist")


def _counts(*, is_null: bool) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=is_null) for name in ("yes", "no", "abstain")]


def _create_judgment() -> None:
    within = "yes >= 0 AND no >= 0 AND abstain >= 0 AND yes + no + abstain <= "
    op.create_table(
        "judgment",
        *_id("judgment"),
        *_refers("judgment", "proposal"),
        *_refers("judgment", "committee"),
        _words("motion"),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("missing", JSONB()),
        *_refers("judgment", "shortlist", is_null=True),
        *_refers("judgment", "meeting", is_null=True),
        _words("state"),
        _at("opened_at"),
        sa.Column("roll", ARRAY(sa.Uuid())),
        *_counts(is_null=True),
        sa.Column("carried", sa.Boolean()),
        _at("closed_at", is_null=True),
        *_refers("judgment", "seat", "closed_by", is_null=True),
        _check(
            "judgment",
            "motion_known",
            "motion IN ('approve', 'confirm', 'reject', 'return', 'call_up', 'appeal')",
        ),
        _check("judgment", "state_known", "state IN ('open', 'closed', 'abandoned')"),
        _check(
            "judgment",
            "counted",
            "num_nonnulls(roll, yes, no, abstain, carried, closed_at, closed_by)"
            " = CASE state WHEN 'closed' THEN 7 ELSE 0 END",
        ),
        _check("judgment", "sums_up", f"{within}cardinality(roll)"),
        _check("judgment", "return_says_why", "(motion = 'return') = (missing IS NOT NULL)"),
    )
    op.create_index(
        "uq_judgment_open", "judgment", ["proposal_id"], unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )  # fmt: skip
    op.create_index("ix_judgment_proposal_id", "judgment", ["proposal_id"])
    op.create_index("ix_judgment_committee_id", "judgment", ["committee_id"])
    _vote("judgment_vote", "judgment")
    op.create_table(
        "sworn_in",
        *_refers("sworn_in", "judgment"),
        *_refers("sworn_in", "seat"),
        _at("at"),
        sa.PrimaryKeyConstraint("judgment_id", "seat_id", name="pk_sworn_in"),
    )
    op.create_index("ix_sworn_in_seat_id", "sworn_in", ["seat_id"])
    table = "judgment_recount"
    op.create_table(
        table,
        *_id(table),
        *_refers(table, "judgment"),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("entitled", sa.Integer(), nullable=False),
        *_counts(is_null=False),
        sa.Column("quorate", sa.Boolean(), nullable=False),
        sa.Column("carried", sa.Boolean(), nullable=False),
        _at("at"),
        sa.UniqueConstraint("judgment_id", "n", name=f"uq_{table}_judgment_id_n"),
        _check(table, "numbered", "n >= 1"),
        _check(table, "sums_up", f"{within}entitled"),
        _check(table, "carried_with_quorum", "quorate OR NOT carried"),
    )
