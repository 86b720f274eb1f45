"""No sentence shows a word of the code: states and verbs are said as people say them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import get_args

import pytest

from mvote.budget.contradictions.contradiction import Contradiction
from mvote.budget.contradictions.texts import PHASES, WORDS
from mvote.budget.cycle import PHASE_KINDS
from mvote.budget.cycle import STATUSES as CYCLE_STATUSES
from mvote.budget.deciding.motion import STATES as MOTION_STATES
from mvote.budget.deliberation.judgment import JUDGMENT_STATES, MOTIONS
from mvote.budget.deliberation.shortlist import SHORTLIST_STATES
from mvote.budget.limits import NAMES
from mvote.budget.proposal import STATES as PROPOSAL_STATES
from mvote.budget.proposal import Verb as ProposalVerb
from mvote.errors import ImpossibleTransition
from mvote.languages import said
from mvote.moderation.case import STATES as CASE_STATES
from mvote.moderation.case import TRANSITIONS as CASE_TRANSITIONS
from mvote.polls.governing import ACTS
from mvote.polls.inviting.invitation import RUN_STATES
from mvote.polls.inviting.running import MOVES
from mvote.polls.poll import STATUSES as POLL_STATUSES
from mvote.polls.poll import Verb as PollVerb
from mvote.verbs import STATES, VERBS
from tests.support.code import Module, modules
from tests.support.world import World

LATIN = re.compile(r"[A-Za-z]")
NAMES_OF_WORDS = {
    "state", "status", "verb", "mode", "phase", "role", "motion", "measure", "origin", "purpose",
}  # fmt: skip
"""How values are called that are words of the code."""


def raised() -> Iterator[tuple[str, str]]:
    """Each word that stands at `state=` or `verb=` where a verb is refused."""
    for module in modules():
        if module.package in ("mvote", "geo", "api"):
            for call in module.nodes(ast.Call):
                assert isinstance(call, ast.Call)
                if ast.unparse(call.func) == "ImpossibleTransition":
                    yield from (
                        (str(each.arg), str(each.value.value))
                        for each in call.keywords
                        if isinstance(each.value, ast.Constant)
                    )


def test_every_state_has_words() -> None:
    known = {
        *POLL_STATUSES, *PROPOSAL_STATES, *CYCLE_STATUSES, *MOTION_STATES, *JUDGMENT_STATES,
        *SHORTLIST_STATES, *CASE_STATES, *RUN_STATES, "not_started",
        *(word for name, word in raised() if name == "state"),
    }  # fmt: skip
    assert known - STATES.keys() == set()
    assert STATES.keys() - known == set()


def test_every_verb_has_words() -> None:
    known = {
        *get_args(PollVerb), *get_args(ProposalVerb), *MOTIONS, *(act.verb for act in ACTS),
        *(verb for _, verb in CASE_TRANSITIONS), *(verb for _, verb in MOVES), "write_minutes",
        *(word for name, word in raised() if name == "verb"),
    }  # fmt: skip
    assert known - VERBS.keys() == set()
    assert VERBS.keys() - known == set()


@pytest.mark.parametrize("verb", VERBS)
def test_what_cannot_be_done_is_said_in_words_of_the_language(verb: str) -> None:
    for state in (*STATES, "steward"):
        error = ImpossibleTransition(state=state, verb=verb)
        assert error.facts == {"state": state, "verb": verb}
        assert error.detail is not None
        assert not LATIN.search(said(error.detail, "ko"))
        assert "_" not in said(error.detail, "en")
        assert "steward" not in error.detail


def test_a_verb_without_words_is_left_to_the_title() -> None:
    error = ImpossibleTransition(state="open", verb="made_up")
    assert error.detail is None


def test_a_refusal_says_state_and_verb_in_both_languages_and_keeps_them_as_facts(
    world: World,
) -> None:
    author = world.citizen()
    poll = world.open_poll(author)
    said_in = {}
    for language in ("ko", "en"):
        headers = author.headers | {"Accept-Language": language}
        answer = world.client.post(f"/v1/polls/{poll['id']}/open", headers=headers)
        problem = answer.get_json()
        assert (answer.status_code, problem["code"]) == (409, "impossible-transition")
        assert (problem["state"], problem["verb"]) == ("open", "open")
        said_in[language] = problem["detail"]
    assert said_in == {
        "ko": "지금 상태(진행 중)에서는 할 수 없습니다: 열기.",
        "en": "Not possible while it is open: to open it.",
    }


def test_phases_and_measures_are_said_in_words_of_the_language() -> None:
    assert set(PHASES) == set(PHASE_KINDS)
    for words in WORDS.values():
        assert not any(LATIN.search(said(each, "ko")) for each in words.values())
    overlap = Contradiction("phases-overlap", "/phases/1/opens_at", {"other": "balloting"})
    assert said(overlap.text, "ko") == "‘투표’ 단계와 기간이 겹칩니다."
    missing: dict[str, object] = {"method": "points", "measure": "points"}
    text = Contradiction("measure-missing", "/contests/0/ballot", missing).text
    assert said(NAMES["points"], "ko") in said(text, "ko")


def test_no_sentence_is_given_a_word_of_the_code() -> None:
    found = [
        f"{module.name}:{line}"
        for module in modules()
        if module.package in ("mvote", "geo", "api") and module.name != "mvote.verbs"
        for line in given_words(module)
    ]
    assert found == []


@pytest.mark.parametrize(
    "code", ['say("It is {it}.", it=poll.state)', 'say("{verb}!", verb=verb)',
             'say_number("{n} in {it}", "{n} in {it}", n, it=cycle.status_at(now))']
)  # fmt: skip
def test_a_sentence_that_is_given_a_word_of_the_code_is_found(code: str) -> None:
    assert list(given_words(Module("mvote.made_up", code)))


def given_words(module: Module) -> Iterator[int]:
    """The lines in which a sentence is told a state, a verb or the like as the code has it."""
    for call in module.nodes(ast.Call):
        assert isinstance(call, ast.Call)
        if ast.unparse(call.func) in ("say", "say_number"):
            for each in call.keywords:
                value = each.value.func if isinstance(each.value, ast.Call) else each.value
                last = ast.unparse(value).rpartition(".")[2].removesuffix("_at")
                if last in NAMES_OF_WORDS:
                    yield call.lineno
