"""The box against a model of a dozen lines: whatever is cast in whatever order, they agree."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox.slot import Outcome, cast_ballots
from tests.support.ballots import ballot, frozen, rows_for
from tests.support.world import World

KEYS = ("first-key-000000000000", "other-key-000000000000")
CHOICES = ("yes", "no")
VOTERS = 4

Step = tuple[int, str, str, bool]  # voter, key, choice, admitted
steps = st.tuples(
    st.integers(0, VOTERS - 1), st.sampled_from(KEYS), st.sampled_from(CHOICES), st.booleans()
)
batches = st.lists(st.lists(steps, min_size=1, max_size=6), max_size=5)


@dataclass
class Model:
    """What ought to happen."""

    is_open: bool = True
    cast: dict[int, tuple[str, str]] = field(default_factory=dict)

    def batch(self, batch: list[Step]) -> list[Outcome]:
        won: dict[int, int] = {}
        if self.is_open:
            for place, (voter, key, choice, admitted) in enumerate(batch):
                if admitted and voter not in self.cast:
                    self.cast[voter], won[voter] = (key, choice), place
        return [
            "recorded" if won.get(step[0]) == place else self._other(step)
            for place, step in enumerate(batch)
        ]

    def _other(self, step: Step) -> Outcome:
        voter, key, choice, _ = step
        if voter not in self.cast:
            return "refused" if self.is_open else "not-open"
        known_key, known_choice = self.cast[voter]
        if key != known_key:
            return "already-voted"
        return "replay" if choice == known_choice else "key-reused"


@given(before=batches, after=batches)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_box_answers_and_counts_as_the_model_does(
    world: World, before: list[list[Step]], after: list[list[Step]]
) -> None:
    world.stock_keys()
    poll = world.open_poll(publish_from=2)
    known, voters, model = frozen(world, poll), world.citizens(VOTERS), Model()

    def cast(batch: list[Step]) -> list[Outcome]:
        papers = [ballot(world, known, voters[v], [choice], key) for v, key, choice, _ in batch]
        rows = [
            replace(row, admitted=step[3])
            for row, step in zip(rows_for(world, known, papers), batch, strict=True)
        ]
        with Session(world.engines["api"]) as session, transaction(session):
            return cast_ballots(session, uuid.UUID(poll["id"]), rows)

    for batch in before:
        assert cast(batch) == model.batch(batch)
    world.finish(poll)
    model.is_open = False
    for batch in after:
        assert cast(batch) == model.batch(batch)
    result = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    assert result["turnout"]["ballots"] == len(model.cast)
    totals = {option["key"]: option["votes"] for option in result["options"]}
    expected = Counter(choice for _, choice in model.cast.values())
    assert totals == ({key: expected[key] for key in CHOICES} if len(model.cast) > 1 else {})
