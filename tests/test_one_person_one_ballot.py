"""Whatever becomes of accounts, numbers and identities, each person votes once: against a model."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.base import utc_now
from mvote.people import changing_number, identities
from mvote.people.changing_number import NumberChange, change_number
from mvote.people.citizens import Citizen
from mvote.people.deleting import delete_account
from mvote.people.errors import AnotherIdentity, IdentityInUse, IdentityRests, NumberInUse
from mvote.people.identities import give_up_identity, link_identity, sign_in_with
from mvote.people.registering import register
from mvote.polls.participations import last_poll_ends
from tests.support.identities import CODE, a_challenge, a_nonce, hall_of, proven
from tests.support.people import a_number
from tests.support.person_model import Asked, Credential, People
from tests.support.world import World

NUMBERS, IDENTITIES, MOST_POLLS = ("n0", "n1", "n2"), ("i0", "i1"), 3
ALL = NUMBERS + IDENTITIES
Step = tuple[str, Credential, Credential, int]
steps = st.tuples(
    st.sampled_from(
        ["come", "come", "change", "link", "unlink", "merge", "merge", "delete", "open", "over"]
        + ["cast"] * 5
    ),
    st.sampled_from(ALL),
    st.sampled_from(ALL),
    st.integers(0, MOST_POLLS - 1),
)
STORIES: dict[str, list[tuple[Any, ...]]] = {
    "a number is changed, and its account made anew": [
        ("come", "n0"), ("open",), ("cast", "n0"), ("change", "n0", "n1"), ("cast", "n1"),
        ("come", "n0"), ("cast", "n0"), ("open",), ("cast", "n0", "", 1), ("cast", "n1", "", 1),
    ],
    "an identity is verified later, and given up": [
        ("come", "n0"), ("open",), ("cast", "n0"), ("link", "n0", "i0"), ("cast", "i0"),
        ("unlink", "n0"), ("come", "i0"), ("cast", "i0"), ("open",), ("cast", "n0", "", 1),
        ("cast", "i0", "", 1),
    ],
    "an identity that was given up is not another's while a poll lives": [
        ("come", "n0"), ("come", "n1"), ("link", "n0", "i0"), ("open",), ("cast", "n0"),
        ("unlink", "n0"), ("link", "n1", "i0"), ("link", "n0", "i0"), ("cast", "n1"),
    ],
    "who gave an identity up before is joined with somebody while another has it": [
        ("come", "n1"), ("come", "n2"), ("link", "n2", "i0"), ("open",), ("unlink", "n2"),
        ("over",), ("come", "n0"), ("link", "n0", "i0"), ("merge", "n2", "n1"), ("open",),
        ("unlink", "n0"), ("link", "n0", "i0"), ("cast", "i0", "", 1), ("cast", "n2", "", 1),
    ],
    "two accounts are found to be of one person": [
        ("come", "n0"), ("come", "i0"), ("open",), ("cast", "n0"), ("merge", "n0", "i0"),
        ("cast", "i0"), ("open",), ("cast", "i0", "", 1), ("cast", "n0", "", 1),
    ],
    "what was given up before follows the elder": [
        ("come", "n1"), ("come", "n0"), ("link", "n0", "i0"), ("open",), ("unlink", "n0"),
        ("merge", "n0", "n1"), ("come", "i0"), ("open",), ("cast", "n1", "", 1),
        ("cast", "i0", "", 1), ("cast", "n0", "", 1),
    ],
    "an account is deleted, and made anew by both its ways in": [
        ("come", "n0"), ("link", "n0", "i0"), ("open",), ("cast", "n0"), ("delete", "n0"),
        ("come", "n0"), ("come", "i0"), ("cast", "n0"), ("cast", "i0"), ("open",),
        ("cast", "n0", "", 1), ("cast", "i0", "", 1),
    ],
    "a number that moved twice is a stranger's": [
        ("come", "n0"), ("come", "n1"), ("open",), ("change", "n0", "n2"), ("change", "n1", "n0"),
        ("change", "n0", "n1"), ("come", "n0"), ("open",), ("cast", "n0", "", 1),
        ("cast", "n1", "", 1), ("cast", "n2", "", 1),
    ],
    "a number is recycled": [
        ("come", "n0"), ("open",), ("change", "n0", "n1"), ("open",), ("come", "n0"), ("open",),
        ("cast", "n0", "", 0), ("cast", "n1", "", 0), ("cast", "n0", "", 1), ("cast", "n1", "", 1),
        ("cast", "n0", "", 2), ("cast", "n1", "", 2),
    ],
}  # fmt: skip


@st.composite
def lives(draw: st.DrawFn, of: Sequence[str] = tuple(STORIES)) -> list[Step]:
    """One of the stories, parts of it left out, whatever else happens in between."""
    life: list[Step] = []
    for step in STORIES[draw(st.sampled_from(of))]:
        life += [whole(step)] if draw(st.integers(0, 7)) else []
        life += draw(st.lists(steps, max_size=2))
    return life


def whole(step: tuple[Any, ...]) -> Step:
    """A step of a story, with what it leaves unsaid."""
    said = [*step, *["", "", 0][len(step) - 1 :]]
    return str(said[0]), str(said[1]), str(said[2]), int(said[3])


QUICKLY = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


class Town:
    """The model, and the same for real: each step is done in both, and the answers compared."""

    def __init__(self, world: World) -> None:
        self.world, self.app = world, world.app
        self.model = People()
        self.polls: list[tuple[dict[str, Any], Asked]] = []
        self.officer = world.officer()
        self._names = {each: a_number() for each in NUMBERS}
        self._names |= {each: str(uuid.uuid4()) for each in IDENTITIES}

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with Session(self.world.engines["api"]) as session, transaction(session):
            yield session

    def step(self, what: str, one: Credential, other: Credential, which: int) -> None:
        mine = self.model.holder.get(one)
        match what:
            case "come":
                self.model.comes(one, self._come(one))
            case "open" if len(self.polls) < MOST_POLLS:
                poll = self.world.open_poll(self.officer)
                self.model.opens()
                self.polls.append((poll, self.model.polls[-1]))
            case "over" if which < len(self.polls):
                self.world.end_voting(self.polls[which][0])
                self.polls[which][1].is_over = True
            case "cast" if mine and self.polls:
                self._cast(mine, *self.polls[which % len(self.polls)])
            case "change" | "link" | "merge" if mine:
                self._prove(mine, other, merge=what == "merge")
            case "unlink" if mine:
                self._unlink(mine)
            case "delete" if mine:
                with self._session() as session:
                    citizen = session.get_one(Citizen, mine)
                    delete_account(session, citizen=citizen, last_poll_ends=last_poll_ends)
                self.model.deletes(mine)

    def _come(self, credential: Credential) -> uuid.UUID:
        name = self._names[credential]
        with self._session() as session:
            if credential in NUMBERS:
                return register(session, number=name, phones=self.app.extensions["phones"])
            nonce, hall = a_nonce(self.app, session), hall_of(self.app)
            who = {"proven": proven(name), "nonce": nonce, "device": None, "now": utc_now()}
            return sign_in_with(session, hall=hall, **who).citizen_id  # type: ignore[arg-type]

    def _cast(self, account: uuid.UUID, poll: dict[str, Any], asked: Asked) -> None:
        answer = self.world.cast(poll, self.world.person(account))
        found = (answer.status_code, answer.get_json().get("code"))
        assert found == self.model.casts(account, asked)

    def _prove(self, mine: uuid.UUID, other: Credential, *, merge: bool) -> None:
        """Prove a number or an identity while signed in."""
        holder = self.model.holder.get(other)
        has_identity = any(each in IDENTITIES for each in self.model.held_by(mine))
        taken = holder is not None and holder != mine and not merge
        gone = holder is None and other in IDENTITIES and self.model.is_anothers(mine, other)
        second = other in IDENTITIES and has_identity and holder != mine
        with self._session() as session:
            try:
                self._proven(session, mine, other, merge=merge)
            except (NumberInUse, IdentityInUse, AnotherIdentity, IdentityRests):
                assert taken or second or gone
                session.rollback()
                return
        refused = taken or second or gone
        assert not refused
        if holder == mine:
            return
        if holder is not None:
            self.model.are_one(mine, holder)
            return
        if other in NUMBERS:
            for old in [each for each in self.model.held_by(mine) if each in NUMBERS]:
                self.model.gives_up(old, stays=False)
        self.model.takes(mine, other)

    def _proven(self, session: Session, mine: uuid.UUID, other: Credential, *, merge: bool) -> None:
        name, hall = self._names[other], hall_of(self.app)
        if other in IDENTITIES:
            nonce = a_nonce(self.app, session)
            link_identity(
                session, hall=hall, citizen_id=mine, proven=proven(name), nonce=nonce,
                merge=merge, now=utc_now(),
            )  # fmt: skip
            return
        challenge_id = a_challenge(self.app, session, name)
        assert change_number(
            session, desk=hall.desk, citizen_id=mine, session_id=None, now=utc_now(),
            change=NumberChange(challenge_id=challenge_id, code=CODE, merge=merge),
            last_poll_ends=last_poll_ends,
        )  # fmt: skip

    def _unlink(self, mine: uuid.UUID) -> None:
        held = self.model.held_by(mine)
        linked = [each for each in held if each in IDENTITIES]
        if not linked or len(held) == 1:
            return
        with self._session() as session:
            give_up_identity(session, citizen_id=mine, last_poll_ends=last_poll_ends)
        self.model.gives_up(linked[0], stays=True)


def live(world: World, life: list[Step]) -> None:
    """Let a town live so."""
    world.stock_keys()
    town = Town(world)
    for step in life:
        town.step(*step)


@given(life=lives())
@settings(max_examples=40, **QUICKLY)  # type: ignore[arg-type]
def test_each_person_votes_once_in_each_poll_and_nobody_is_kept_from_it(
    world: World, life: list[Step]
) -> None:
    live(world, life)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_stories_of_one_person(world: World, story: list[tuple[Any, ...]]) -> None:
    live(world, [whole(step) for step in story])


def found_out(world: World) -> None:
    """Lives as above, in any order, until one contradicts the model."""

    @given(life=lives(of=["a number is changed, and its account made anew"]))
    @settings(max_examples=60, phases=[Phase.generate], **QUICKLY)  # type: ignore[arg-type]
    def lives_like_the_model(life: list[Step]) -> None:
        live(world, life)

    lives_like_the_model()


def test_without_what_a_number_leaves_behind_somebody_votes_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing_number, "leave_behind", lambda *_, **__: None)
    with pytest.raises(AssertionError, match=r"201.*already-voted"):
        found_out(world)


def test_without_what_an_identity_leaves_behind_somebody_votes_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identities, "leave_behind", lambda *_, **__: None)
    story = STORIES["an identity is verified later, and given up"]
    with pytest.raises(AssertionError, match=r"201.*already-voted"):
        live(world, [whole(step) for step in story])
