"""Who judges, counts and gives opinions is kept by the database, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

# Of what is appealed against: whoever voted, closed the vote, wrote an opinion or assessed before.
TOOK_PART = """
CREATE FUNCTION took_part_before(p_proposal_id uuid, p_citizen_id uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM proposal WHERE proposal.id = p_proposal_id AND (
        EXISTS (SELECT 1 FROM judgment JOIN judgment_vote ON judgment_id = judgment.id
            JOIN seat ON seat.id = seat_id
            WHERE proposal_id = proposal.id AND citizen_id = p_citizen_id
                AND judgment_vote.at <= appealed_at)
        OR EXISTS (SELECT 1 FROM judgment JOIN seat ON seat.id = closed_by
            WHERE proposal_id = proposal.id AND citizen_id = p_citizen_id
                AND closed_at <= appealed_at)
        OR EXISTS (SELECT 1 FROM review JOIN opinion ON review_id = review.id
            JOIN seat ON seat.id = seat_id
            WHERE proposal_id = proposal.id AND citizen_id = p_citizen_id
                AND opinion.at <= appealed_at)
        OR appealed_at IS NOT NULL AND EXISTS (SELECT 1 FROM assessment
            WHERE proposal_id = proposal.id AND p_citizen_id IN (found_by, confirmed_by))))
$$
"""
RECUSED = "AND seat_id = p_seat_id) THEN"
RECUSED_OR_PART = """AND seat_id = p_seat_id)
        OR took_part_before(
            p_proposal_id, (SELECT citizen_id FROM seat WHERE id = p_seat_id)) THEN"""

# A reserve has a seat for the items they were sworn in for, and no part in any other.
HAS_PART = """
CREATE FUNCTION has_part(p_proposal_id uuid, p_seat_id uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM seat WHERE id = p_seat_id AND (kind <> 'reserve'
        OR EXISTS (SELECT 1 FROM sworn_in JOIN judgment ON judgment.id = judgment_id
            WHERE seat_id = seat.id AND proposal_id = p_proposal_id AND judgment.state = 'open')))
$$
"""
GIVES = "AND seat.id = NEW.seat_id AND seat.state = 'filled';"
GIVES_WITH_PART = f"{GIVES[:-1]}\n            AND has_part(reviewed, seat.id);"

# Exact fractions, as the cycle gives them: more than E·q take part, more than P·c say yes.
OUTCOME = """
CREATE FUNCTION outcome_of(p_proposal_id uuid, p_entitled bigint, p_yes bigint, p_no bigint,
    p_abstain bigint, OUT quorate boolean, OUT carried boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    rules jsonb := (SELECT definition -> 'review' FROM cycle
        WHERE id = (SELECT cycle_id FROM proposal WHERE id = p_proposal_id));
    q text := coalesce(rules #>> '{quorum,more_than}', '1/2');
    c text := coalesce(rules #>> '{carried,more_than}', '1/2');
    present numeric := p_yes + p_no + p_abstain;
BEGIN
    quorate := p_entitled >= greatest(coalesce((rules #>> '{quorum,floor}')::integer, 1), 1)
        AND present * split_part(q, '/', 2)::numeric
            > p_entitled * split_part(q, '/', 1)::numeric;
    carried := quorate
        AND p_yes * split_part(c, '/', 2)::numeric > present * split_part(c, '/', 1)::numeric;
END $$
"""

# Nobody who may judge is left out of E, and the count itself says what it means.
COUNTED = """'the count is that of the recorded votes of those entitled'
            USING ERRCODE = 'restrict_violation';
    END IF;"""
ROLL_WHOLE = (
    COUNTED
    + """
    IF EXISTS (SELECT 1 FROM seat JOIN committee ON committee.id = committee_id
            JOIN cycle ON cycle.id = cycle_id
            WHERE committee_id = NEW.committee_id AND seat.state = 'filled' AND has_vote
                AND (clock_timestamp() AT TIME ZONE cycle.time_zone)::date
                    BETWEEN seat.starts_on AND seat.ends_on
                AND NOT seat.id = ANY (NEW.roll)
                AND NOT took_part_before(NEW.proposal_id, seat.citizen_id)
                AND NOT EXISTS (SELECT 1 FROM recusal
                    WHERE proposal_id = NEW.proposal_id AND seat_id = seat.id)) THEN
        RAISE EXCEPTION 'whoever may judge is on the roll'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'judgment_roll_whole';
    END IF;
    IF (SELECT (quorate, carried) IS DISTINCT FROM (true, NEW.carried) FROM outcome_of(
            NEW.proposal_id, cardinality(NEW.roll), NEW.yes, NEW.no, NEW.abstain)) THEN
        RAISE EXCEPTION 'the count says whether there is a quorum, and whether it is carried'
            USING ERRCODE = 'restrict_violation';
    END IF;"""
)
BEGUN = "RETURN NEW;\n    END IF;\n    IF TG_OP = 'DELETE' OR OLD.state <> 'open' OR (OLD.id,"
# What officers found infeasible is taken up; what a committee has judged is appealed against.
CALLED_UP = """IF NEW.motion = 'call_up' AND NOT EXISTS (SELECT 1 FROM proposal
                JOIN assessment ON proposal_id = proposal.id
                    AND assessment.revision = proposal.revision
                WHERE proposal.id = NEW.proposal_id AND appealed_at IS NULL AND NOT is_feasible
                    AND NOT EXISTS (SELECT 1 FROM judgment WHERE proposal_id = proposal.id
                        AND state = 'closed' AND judgment.revision = proposal.revision
                        AND motion IN ('approve', 'confirm', 'reject'))) THEN
            RAISE EXCEPTION 'a committee takes up what officers found infeasible'
                USING ERRCODE = 'restrict_violation';
        END IF;
        """

RECOUNT_GUARD = """
CREATE FUNCTION judgment_recount_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    counted bigint[];
    judged uuid;
    left_over uuid[];
BEGIN
    SELECT proposal_id, ARRAY(SELECT entitled.id FROM unnest(roll) AS entitled (id)
            WHERE NOT EXISTS (SELECT 1 FROM recusal WHERE seat_id = entitled.id
                AND recusal.proposal_id = judgment.proposal_id AND ground <> 'took_part'))
        INTO judged, left_over
        FROM judgment WHERE id = NEW.judgment_id AND state = 'closed';
    SELECT ARRAY[cardinality(left_over), count(*) FILTER (WHERE vote = 'yes'),
            count(*) FILTER (WHERE vote = 'no'), count(*) FILTER (WHERE vote = 'abstain')]
        INTO counted
        FROM judgment_vote WHERE judgment_id = NEW.judgment_id AND seat_id = ANY (left_over);
    IF counted IS DISTINCT FROM ARRAY[NEW.entitled, NEW.yes, NEW.no, NEW.abstain]::bigint[]
        OR NEW.n <> 1 + (SELECT count(*) FROM judgment_recount
            WHERE judgment_id = NEW.judgment_id)
        OR (SELECT (quorate, carried) IS DISTINCT FROM (NEW.quorate, NEW.carried)
            FROM outcome_of(judged, NEW.entitled, NEW.yes, NEW.no, NEW.abstain)) THEN
        RAISE EXCEPTION 'a recount is that of the recorded votes without the recused'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
AGAIN = "WHERE judgment.proposal_id = NEW.id AND again.at >= OLD.state_since)"
OTHERWISE = """WHERE judgment.proposal_id = NEW.id AND again.at >= OLD.state_since
                AND NOT EXISTS (SELECT 1 FROM judgment_recount AS former
                    WHERE former.judgment_id = again.judgment_id AND former.n = again.n - 1
                        AND (former.carried, former.quorate) = (again.carried, again.quorate))
                AND (again.n > 1 OR (again.carried, again.quorate) <> (judgment.carried, true)))"""
# The lowest cap or limit above a heading: what a project of that kind may cost there.
MOST_FOR = """
CREATE FUNCTION most_for(p_cycle_id uuid, p_heading text, p_kind text) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH RECURSIVE rules AS (SELECT budget_limit, definition FROM cycle WHERE id = p_cycle_id),
    headings AS (SELECT each ->> 'key' AS key, each ->> 'parent' AS parent,
            (each ->> 'limit')::bigint AS most
        FROM rules, jsonb_path_query(definition, '$.headings[*]') AS each),
    above AS (SELECT * FROM headings WHERE key = p_heading
        UNION SELECT headings.* FROM headings JOIN above ON headings.key = above.parent),
    caps AS (SELECT (each ->> 'max')::bigint AS most
        FROM rules, jsonb_path_query(definition, '$.cost_caps[*]') AS each
        WHERE (each ->> 'heading' IS NULL OR each ->> 'heading' IN (SELECT key FROM above))
            AND (each ->> 'kind' IS NULL OR each ->> 'kind' = p_kind))
    SELECT least((SELECT budget_limit FROM rules), (SELECT min(most) FROM above),
        (SELECT min(most) FROM caps), 10000000000000)
$$
"""
# What officers found infeasible has any price; called up or appealed for, it needs one of these.
PRICE_GUARD = """
CREATE FUNCTION proposal_price_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    text_of proposal_revision;
    price bigint;
BEGIN
    SELECT * INTO text_of FROM proposal_revision
        WHERE proposal_id = NEW.id AND n = NEW.revision;
    price := coalesce((SELECT assessed_amount FROM assessment
        WHERE proposal_id = NEW.id AND assessment.revision = NEW.revision), text_of.amount);
    IF price NOT BETWEEN 1 AND most_for(NEW.cycle_id, text_of.heading, text_of.kind) THEN
        RAISE EXCEPTION 'what is approved has a price that the cycle allows'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'proposal_price_allowed';
    END IF;
    RETURN NEW;
END $$
"""
FUNCTIONS = {
    "most_for(uuid, text, text)": MOST_FOR,
    "took_part_before(uuid, uuid)": TOOK_PART,
    "has_part(uuid, uuid)": HAS_PART,
    "outcome_of(uuid, bigint, bigint, bigint, bigint)": OUTCOME,
}
# Others may have changed these functions since they were made: only these words are replaced.
CHANGES = (
    ("refuse_the_recused", RECUSED, RECUSED_OR_PART),
    ("opinion_guard", GIVES, GIVES_WITH_PART),
    ("judgment_guard", COUNTED, ROLL_WHOLE),
    ("judgment_guard", BEGUN, CALLED_UP + BEGUN),
    ("proposal_judged_guard", AGAIN, OTHERWISE),
)


def upgrade() -> None:
    for name, body in FUNCTIONS.items():
        op.execute(sa.text(body.replace(":", "\\:")))
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO mvote_api")
    op.execute(sa.text(RECOUNT_GUARD.replace(":", "\\:")))
    op.execute(
        "CREATE TRIGGER judgment_recount_guard BEFORE INSERT ON judgment_recount"
        " FOR EACH ROW EXECUTE FUNCTION judgment_recount_guard()"
    )
    op.execute(sa.text(PRICE_GUARD.replace(":", "\\:")))
    op.execute(
        "CREATE TRIGGER proposal_price_guard BEFORE UPDATE OF state ON proposal FOR EACH ROW"
        " WHEN (OLD.state <> NEW.state AND NEW.state = 'approved')"
        " EXECUTE FUNCTION proposal_price_guard()"
    )
    for function, old, new in CHANGES:
        _replace(function, old, new)


def downgrade() -> None:
    for function, old, new in reversed(CHANGES):
        _replace(function, new, old)
    op.execute("DROP TRIGGER proposal_price_guard ON proposal")
    op.execute("DROP FUNCTION proposal_price_guard()")
    op.execute("DROP TRIGGER judgment_recount_guard ON judgment_recount")
    op.execute("DROP FUNCTION judgment_recount_guard()")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")


def _replace(function: str, old: str, new: str) -> None:
    """Put *new* in the place of *old* in a function's body, which must have it once."""
    [(definition,)] = op.get_bind().execute(
        sa.text("SELECT pg_get_functiondef(CAST(:name AS regproc))"), {"name": function}
    )
    if definition.count(old) != 1:
        raise RuntimeError(f"{function} is not as it was")
    op.execute(sa.text(definition.replace(old, new).replace(":", "\\:")))
