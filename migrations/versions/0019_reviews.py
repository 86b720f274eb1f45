"""Reviews: recusals, who reads what, and opinions that nobody reads before their own is in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from mvote.base import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

GRANTS = {
    "seat_interests": "SELECT, INSERT, UPDATE (interests, set_at)",
    "recusal": "SELECT, INSERT",
    "review": "SELECT, INSERT, UPDATE (discussed_at, judged_at)",
    "review_assignment": "SELECT, INSERT, DELETE",
    # scores and comments are read through `opinions_to_read` alone
    "opinion": "SELECT (review_id, seat_id, round, at), INSERT, UPDATE (scores, comment)",
}

# What a seat does with a proposal and its recusal exclude each other. Whoever acts takes the
# proposal's row for themselves, a recusal takes its key: the later one sees the earlier.
REFUSE_THE_RECUSED = """
CREATE FUNCTION refuse_the_recused(p_proposal_id uuid, p_seat_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM proposal WHERE id = p_proposal_id FOR UPDATE;
    IF EXISTS (SELECT 1 FROM recusal
        WHERE proposal_id = p_proposal_id AND seat_id = p_seat_id) THEN
        RAISE EXCEPTION 'this seat is recused from the proposal'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'not_recused';
    END IF;
END $$
"""
RECUSAL_GUARD = """
CREATE FUNCTION recusal_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM proposal WHERE id = NEW.proposal_id FOR KEY SHARE;
    IF NOT EXISTS (SELECT 1 FROM proposal JOIN committee USING (cycle_id)
            JOIN seat ON seat.committee_id = committee.id
            WHERE proposal.id = NEW.proposal_id AND seat.id = NEW.seat_id) THEN
        RAISE EXCEPTION 'a seat is recused from proposals of its own cycle'
            USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.at := clock_timestamp();
    DELETE FROM review_assignment USING review WHERE review.id = review_assignment.review_id
        AND review.proposal_id = NEW.proposal_id AND review_assignment.seat_id = NEW.seat_id;
    RETURN NEW;
END $$
"""
REVIEW_GUARD = """
CREATE FUNCTION review_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF num_nonnulls(NEW.discussed_at, NEW.judged_at) > 0 OR NOT EXISTS (
            SELECT 1 FROM proposal JOIN committee USING (cycle_id)
            WHERE proposal.id = NEW.proposal_id AND committee.id = NEW.committee_id) THEN
            RAISE EXCEPTION 'a committee begins to review proposals of its own cycle'
                USING ERRCODE = 'restrict_violation';
        END IF;
        NEW.opened_at := clock_timestamp();
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE'
        OR to_jsonb(OLD) - 'discussed_at' - 'judged_at'
            <> to_jsonb(NEW) - 'discussed_at' - 'judged_at'
        OR OLD.discussed_at IS NOT NULL AND NEW.discussed_at IS DISTINCT FROM OLD.discussed_at
        OR OLD.judged_at IS NOT NULL THEN
        RAISE EXCEPTION 'a review is discussed once, judged once, and never deleted'
            USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM 1 FROM proposal WHERE id = NEW.proposal_id FOR UPDATE;  -- opinions wait, and are over
    IF NEW.discussed_at IS DISTINCT FROM OLD.discussed_at THEN
        NEW.discussed_at := clock_timestamp();
    END IF;
    IF NEW.judged_at IS NOT NULL THEN
        NEW.judged_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$
"""
ASSIGNMENT_GUARD = """
CREATE FUNCTION review_assignment_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    found_proposal uuid;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'an assignment is given or taken' USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT proposal_id INTO found_proposal FROM review JOIN seat USING (committee_id)
        WHERE review.id = NEW.review_id AND seat.id = NEW.seat_id
            AND seat.state = 'filled' AND judged_at IS NULL;
    IF found_proposal IS NULL THEN
        RAISE EXCEPTION 'only who sits in the committee reads what it reviews'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'review_open';
    END IF;
    PERFORM refuse_the_recused(found_proposal, NEW.seat_id);
    NEW.at := clock_timestamp();
    RETURN NEW;
END $$
"""
# The first round is blind, so it is over once the discussion begins, and frozen at once.
OPINION_GUARD = """
CREATE FUNCTION opinion_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    reviewed uuid;
    round_now integer;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an opinion is never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.round = 1 OR (OLD.review_id, OLD.seat_id, OLD.round)
            IS DISTINCT FROM (NEW.review_id, NEW.seat_id, NEW.round)) THEN
        RAISE EXCEPTION 'a first opinion never changes, and no opinion its place'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'opinion_frozen';
    END IF;
    SELECT proposal_id INTO reviewed FROM review WHERE id = NEW.review_id;
    PERFORM refuse_the_recused(reviewed, NEW.seat_id);
    SELECT CASE WHEN discussed_at IS NULL THEN 1 ELSE 2 END INTO round_now
        FROM review JOIN seat USING (committee_id) JOIN proposal ON proposal.id = proposal_id
        WHERE review.id = NEW.review_id AND judged_at IS NULL
            AND proposal.state = 'under_review'
            AND seat.id = NEW.seat_id AND seat.state = 'filled';
    IF round_now IS DISTINCT FROM NEW.round THEN
        RAISE EXCEPTION 'opinions are given by who sits, in the round that is open'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'review_open';
    END IF;
    NEW.at := clock_timestamp();
    RETURN NEW;
END $$
"""
GUARDS = {
    "recusal_guard": (RECUSAL_GUARD, "recusal", "INSERT"),
    "review_guard": (REVIEW_GUARD, "review", "INSERT OR UPDATE OR DELETE"),
    "review_assignment_guard": (ASSIGNMENT_GUARD, "review_assignment", "INSERT OR UPDATE"),
    "opinion_guard": (OPINION_GUARD, "opinion", "INSERT OR UPDATE OR DELETE"),
}

# However a committee's judgment moves the proposal, its opinions are public from then on.
CLOSE_REVIEWS = """
CREATE FUNCTION close_reviews() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE review SET judged_at = clock_timestamp()
        WHERE proposal_id = NEW.id AND judged_at IS NULL;
    RETURN NULL;
END $$
"""

# The only way to read scores: one's own; all of a review that is judged; of one that is not, those
# of a round in which, or behind which, one's own is in. Those of the recused count nowhere, and
# whoever is recused reads nothing but what is public.
OPINIONS_TO_READ = """
CREATE FUNCTION opinions_to_read(p_proposal_id uuid, p_citizen_id uuid)
RETURNS TABLE (review_id uuid, committee_id uuid, judged_at timestamptz, seat_id uuid,
    "number" integer, round integer, scores jsonb, comment jsonb, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT review.id, review.committee_id, review.judged_at, seat.id, seat.number, opinion.round,
        opinion.scores, opinion.comment, opinion.at
    FROM review
        JOIN opinion ON opinion.review_id = review.id
        JOIN seat ON seat.id = opinion.seat_id
    WHERE review.proposal_id = p_proposal_id
        AND NOT EXISTS (SELECT 1 FROM recusal
            WHERE recusal.proposal_id = p_proposal_id AND recusal.seat_id = seat.id)
        AND (review.judged_at IS NOT NULL
            OR NOT EXISTS (SELECT 1 FROM recusal JOIN seat AS mine ON mine.id = recusal.seat_id
                    WHERE recusal.proposal_id = p_proposal_id AND mine.citizen_id = p_citizen_id)
                AND EXISTS (SELECT 1 FROM opinion AS own JOIN seat AS mine ON mine.id = own.seat_id
                    WHERE own.review_id = review.id AND mine.citizen_id = p_citizen_id
                        AND mine.state = 'filled'
                        AND (mine.id = seat.id OR own.round >= opinion.round)))
    ORDER BY review.opened_at, seat.number, opinion.round
$$
"""
READ = "opinions_to_read(uuid, uuid)"
FUNCTIONS = ("refuse_the_recused(uuid, uuid)", READ)


def upgrade() -> None:
    _create_recusal()
    _create_review()
    op.execute(sa.text(REFUSE_THE_RECUSED))
    for name, (body, table, events) in GUARDS.items():
        op.execute(sa.text(body.replace(":", "\\:")))
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {events} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON recusal"
        " FOR EACH ROW EXECUTE FUNCTION insert_only()"
    )
    op.execute(sa.text(CLOSE_REVIEWS))
    op.execute("REVOKE ALL ON FUNCTION close_reviews() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER close_reviews AFTER UPDATE OF state ON proposal FOR EACH ROW"
        " WHEN (OLD.state = 'under_review' AND NEW.state IN ('approved', 'rejected', 'returned'))"
        " EXECUTE FUNCTION close_reviews()"
    )
    op.execute(sa.text(OPINIONS_TO_READ.replace(":", "\\:")))
    for name in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO mvote_api")
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO mvote_api")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {READ}")
    op.execute("DROP TRIGGER close_reviews ON proposal")
    op.execute("DROP FUNCTION close_reviews()")
    for table in ("opinion", "review_assignment", "review", "recusal", "seat_interests"):
        op.drop_table(table)
    for name in GUARDS:
        op.execute(f"DROP FUNCTION {name}()")
    op.execute("DROP FUNCTION refuse_the_recused(uuid, uuid)")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _refers(
    table: str, to: str, ondelete: str | None = None
) -> list[sa.Column[object] | sa.Constraint]:
    """A column that refers to the table *to*."""
    name = f"fk_{table}_{to}_id"
    return [
        sa.Column(f"{to}_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint([f"{to}_id"], [f"{to}.id"], name=name, ondelete=ondelete),
    ]


def _create_recusal() -> None:
    op.create_table(
        "seat_interests",
        *_refers("seat_interests", "seat"),
        *_refers("seat_interests", "citizen", ondelete="CASCADE"),
        sa.Column("interests", JSONB(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("seat_id", name="pk_seat_interests"),
    )
    op.create_index("ix_seat_interests_citizen_id", "seat_interests", ["citizen_id"])
    op.create_table(
        "recusal",
        *_refers("recusal", "proposal"),
        *_refers("recusal", "seat"),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", "seat_id", name="pk_recusal"),
        _check(
            "recusal",
            "ground_known",
            "ground IN ('author', 'co_author', 'supporter', 'took_part', 'organisation', 'dong',"
            " 'nearby', 'household', 'other')",
        ),
        _check("recusal", "how_known", "how IN ('declared', 'detected')"),
    )
    op.create_index("ix_recusal_seat_id", "recusal", ["seat_id"])


def _create_review() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_refers("review", "proposal"),
        *_refers("review", "committee"),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("discussed_at", UtcDateTime()),
        sa.Column("judged_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
        _check("review", "discussed_after_opened", "discussed_at >= opened_at"),
        _check("review", "judged_after_opened", "judged_at >= opened_at"),
    )
    op.create_index(
        "uq_review_open", "review", ["proposal_id", "committee_id"], unique=True,
        postgresql_where=sa.text("judged_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_review_proposal_id", "review", ["proposal_id"])
    op.create_index("ix_review_committee_id", "review", ["committee_id"])
    op.create_table(
        "review_assignment",
        *_refers("review_assignment", "review"),
        *_refers("review_assignment", "seat"),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("review_id", "seat_id", name="pk_review_assignment"),
    )
    op.create_index("ix_review_assignment_seat_id", "review_assignment", ["seat_id"])
    op.create_table(
        "opinion",
        *_refers("opinion", "review"),
        *_refers("opinion", "seat"),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("scores", JSONB(), nullable=False),
        sa.Column("comment", JSONB()),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("review_id", "seat_id", "round", name="pk_opinion"),
        _check("opinion", "round_known", "round IN (1, 2)"),
    )
    op.create_index("ix_opinion_seat_id", "opinion", ["seat_id"])
