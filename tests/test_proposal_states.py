"""The states of proposals: every pair of them, in the program and in the database."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import psycopg
import pytest
from psycopg.errors import Error as DatabaseError

from mvote.budget.proposal import STATES, TRANSITIONS, State, Verb, after
from mvote.errors import ImpossibleTransition
from tests.support.proposals import Town
from tests.support.world import World

TRANSITIONS_OF_DECIDING = [
    (old, new) for (old, _), new in TRANSITIONS.items() if old in ("on_ballot", "reserve", "funded")
    and new != "struck"
]  # fmt: skip


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


@pytest.mark.parametrize(("state", "verb"), list(product(STATES, get_args(Verb))))
def test_a_verb_leads_a_proposal_where_the_table_says_or_is_refused(
    state: State, verb: Verb
) -> None:
    if (state, verb) in TRANSITIONS:
        assert after(state, verb) == TRANSITIONS[state, verb]
    else:
        with pytest.raises(ImpossibleTransition) as refusal:
            after(state, verb)
        assert refusal.value.facts == {"state": state, "verb": verb}


def test_the_database_allows_exactly_the_transitions_of_the_table_of_proposals(town: Town) -> None:
    author = town.author()
    proposal, other = town.submitted(author), town.submitted(author)
    for officer in town.officers():
        town.assess(proposal, officer)
    with psycopg.connect(town.world.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO proposal_revision (proposal_id, n, content, amount, created_at,"
            " submitted_at) SELECT proposal_id, 2, content, amount, now(), now()"
            " FROM proposal_revision WHERE proposal_id = %s",
            [proposal["id"]],
        )
        _let_any_judgment_count(connection, proposal["id"])
    allowed = {
        (old, new)
        for old, new in product(STATES, STATES)
        if old != new and _database_lets(town.world, proposal["id"], other["id"], old, new)
    }
    expected = {(old, new) for (old, _), new in TRANSITIONS.items()}
    assert allowed == expected


def _let_any_judgment_count(connection: psycopg.Connection, proposal: str) -> None:
    """A recount of now: behind it every way out of a judgment is open."""
    connection.execute(
        "WITH judged AS (INSERT INTO judgment (id, proposal_id, committee_id, motion, revision,"
        " state, opened_at) VALUES (gen_random_uuid(), %s, gen_random_uuid(), 'approve', 1, 'open',"
        " now()) RETURNING id) INSERT INTO judgment_recount (id, judgment_id, n, entitled, yes, no,"
        " abstain, quorate, carried, at) SELECT gen_random_uuid(), id, 1, 0, 0, 0, 0, false, false,"
        " now() + interval '1 day' FROM judged",
        [proposal],
    )


def _database_lets(world: World, proposal: str, other: str, old: State, new: State) -> bool:
    """Whether the owner may move a proposal from *old* to *new*, with all that belongs to it."""
    is_feasible = not (old == "assessed" and new == "rejected")
    given = {
        "id": proposal,
        "old": old,
        "new": new,
        "merged": other if new == "merged" else None,
        "was_merged": other if old == "merged" else None,
        "revision": 2 if new == "submitted" else 1,
    }
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE assessment SET lawful = %s", ["yes" if is_feasible else "no"])
        connection.execute(
            "UPDATE proposal SET state = %(old)s::text, revision = 1,"
            " merged_into = %(was_merged)s::uuid,"
            " reference = CASE WHEN %(old)s::text = 'draft' THEN NULL ELSE '2027-0001' END,"
            " number = CASE WHEN %(old)s::text = 'draft' THEN NULL ELSE 1 END,"
            " appealed_at = CASE WHEN %(old)s::text = 'appealed' THEN now() END,"
            " due_at = now() + interval '1 day' WHERE id = %(id)s",
            given,
        )
        _decide(connection, proposal, other, new)
        connection.execute("SET session_replication_role = origin")
        connection.execute("SET ROLE mvote_owner")
        try:
            connection.execute(
                "UPDATE proposal SET state = %(new)s::text, merged_into = %(merged)s::uuid,"
                " revision = %(revision)s,"
                " reference = CASE WHEN %(old)s::text = 'draft' AND %(new)s::text <> 'draft'"
                " THEN '2027-0001' ELSE reference END,"
                " appealed_at = CASE WHEN %(new)s::text = 'appealed' THEN now()"
                " ELSE appealed_at END"
                " WHERE id = %(id)s",
                given,
            )
        except DatabaseError:
            return False
        return True


def _decide(connection: psycopg.Connection[Any], proposal: str, other: str, new: State) -> None:
    """Let there be what the state *new* rests on: a decision, a move up, the council's amount."""
    for table in ("reserve_move", "enactment", "project_decision"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608
    if new in ("funded", "reserve", "not_funded"):
        connection.execute(
            "INSERT INTO project_decision (proposal_id, motion_id, rank, decision, amount,"
            " deviates) VALUES (%s, gen_random_uuid(), 1, %s, %s, false)",
            [proposal, new, 5 if new == "funded" else 0],
        )
        connection.execute(
            "INSERT INTO reserve_move (proposal_id, freed_by, amount, at)"
            " VALUES (%s, %s, 5, now())",
            [proposal, other],
        )
    if new in (amounts := {"enacted": 5, "reduced": 3, "dropped": 0}):
        connection.execute(
            "INSERT INTO enactment (proposal_id, state, amount, funded_amount, text, at)"
            " VALUES (%s, %s, %s, 5, '{}', now())",
            [proposal, new, amounts[new]],
        )


def test_the_database_lets_no_project_be_decided_on_without_what_that_rests_on(
    town: Town,
) -> None:
    proposal = town.submitted(town.author())
    for old, new in TRANSITIONS_OF_DECIDING:
        town.put_in(proposal, old)
        with (
            psycopg.connect(town.world.admin_url) as connection,
            pytest.raises(DatabaseError, match="where that was decided"),
        ):
            connection.execute("UPDATE proposal SET state = %s", [new])
