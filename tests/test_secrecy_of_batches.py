"""Secrecy of several batches: nothing links a voter better than the batch a ballot is in."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from mvote.ballotbox.sealing import tracker_of, unwrap_outer
from mvote.polls.definition import FrozenPoll
from tests.support.ballots import cast_alone, frozen, rows_for, strangers
from tests.support.boxes import batches_in, check_log
from tests.support.world import World

K = 50
PERIODS = (150, 120, 100)
FARTHEST = 5.0  # standard deviations: chance goes farther once in a million runs
MOST_HITS = 20  # of four batches chance gives 4 on average, more than 20 once in a billion runs

ENTRY_ORDERS = {
    "idx": "SELECT data FROM log_entry WHERE kind = 1 ORDER BY idx",
    "ctid": "SELECT data FROM log_entry WHERE kind = 1 ORDER BY ctid",
    "xmin": "SELECT data FROM log_entry WHERE kind = 1 ORDER BY xmin::text::bigint, ctid",
    "box": "SELECT e.data FROM box b JOIN log_entry e USING (poll_id, idx) ORDER BY b.ctid",
}
ENVELOPES = 'SELECT id, "outer" FROM envelope ORDER BY xmin::text::bigint, ctid'
VOTER_ORDERS = {
    "xmin": "SELECT voter_tag FROM participation ORDER BY xmin::text::bigint, ctid",
    "ctid": "SELECT voter_tag FROM participation ORDER BY ctid",
    "tag": "SELECT voter_tag FROM participation ORDER BY voter_tag",
}


@dataclass
class Election:
    """A poll of which the test knows who cast which ballot, in which order."""

    world: World
    poll: FrozenPoll
    #: voter's tag → tracker, in the order of casting; each was a transaction of its own
    tracker: dict[bytes, str] = field(default_factory=dict)

    def cast(self, count: int) -> None:
        papers = strangers(count)
        for paper, row in zip(papers, rows_for(self.world, self.poll, papers), strict=True):
            assert cast_alone(self.world.engines["api"], self.poll.poll_id, row) == "recorded"
            self.tracker[row.tags.voter_tag] = tracker_of(
                self.poll.P, paper.voter.id, paper.key
            ).hex()

    def batches(self) -> list[set[str]]:
        """The trackers of each batch."""
        return [
            {data[:16].hex() for kind, data in batch if kind == 1}
            for batch in batches_in(self.world, self.poll.poll_id)
        ]


@pytest.fixture
def election(world: World) -> Election:
    """Three batches while the poll was open, and the rest at its closing."""
    election = Election(world, frozen(world, world.open_poll(publish_from=2)))
    for count in PERIODS:
        election.cast(count)
        world.run_shuffler()
    world.close({"id": str(election.poll.poll_id)})
    check_log(world, election.poll, list(election.tracker.values()))
    assert [len(batch) for batch in election.batches()] == [100, 120, 100, 50]
    return election


def distance_from_chance(one: Sequence[str], other: Sequence[str]) -> float:
    """How far the rank correlation of two orders lies from none, in standard deviations."""
    ranks = {tracker: rank for rank, tracker in enumerate(other)}
    found = statistics.correlation(range(len(one)), [ranks[tracker] for tracker in one])
    return abs(found) * math.sqrt(len(one) - 1)


def hits(one: Sequence[str], other: Sequence[str]) -> int:
    """How often the same ballot stands at the same place."""
    return sum(a == b for a, b in zip(one, other, strict=True))


def test_within_a_batch_no_order_of_voters_tells_anything_of_an_order_of_ballots(
    election: Election,
) -> None:
    world, batches = election.world, election.batches()
    for voters in VOTER_ORDERS.values():
        by_voter = [election.tracker[bytes(tag)] for (tag,) in world.rows(voters)]
        for entries in ENTRY_ORDERS.values():
            by_entry = [bytes(data[:16]).hex() for (data,) in world.rows(entries)]
            places = 0
            for batch in batches:
                one = [tracker for tracker in by_voter if tracker in batch]
                other = [tracker for tracker in by_entry if tracker in batch]
                assert distance_from_chance(one, other) < FARTHEST
                places += hits(one, other)
            assert places <= MOST_HITS


def test_which_ballots_stay_for_the_next_batch_is_not_told_by_when_they_were_cast(
    election: Election,
) -> None:
    order = list(election.tracker.values())
    first = election.batches()[0]
    stayed = [tracker not in first for tracker in order[: PERIODS[0]]]
    found = statistics.correlation(range(len(stayed)), [float(each) for each in stayed])
    assert abs(found) * math.sqrt(len(stayed) - 1) < FARTHEST


def test_hidden_transaction_numbers_tell_the_batch_and_no_more(election: Election) -> None:
    world = election.world
    numbers = world.rows("SELECT DISTINCT xmin::text FROM log_entry WHERE kind = 1")
    assert len(numbers) == len(election.batches())
    boxed = world.rows(
        "SELECT count(*) FROM box b JOIN log_entry e USING (poll_id, idx) WHERE b.xmin <> e.xmin"
    )
    joined = world.rows(
        "SELECT count(*) FROM participation p JOIN log_entry e USING (poll_id)"
        " WHERE p.xmin = e.xmin"
    )
    assert (boxed, joined) == ([(0,)], [(0,)])


def test_without_sorting_the_order_of_envelopes_would_give_every_voter_of_a_batch_away(
    world: World,
) -> None:
    """The sabotaged twin: a batch in the order in which its envelopes were written."""
    election = Election(world, frozen(world, world.open_poll()))
    election.cast(2 * K)
    keys = world.wiring.box.keys.of(election.poll.poll_id)
    assert keys is not None
    assert keys.L is not None
    unsorted = [
        unwrap_outer(keys.L, election.poll.P, envelope_id, bytes(outer))[0].hex()
        for envelope_id, outer in world.rows(ENVELOPES)
    ]
    by_voter = [election.tracker[bytes(tag)] for (tag,) in world.rows(VOTER_ORDERS["xmin"])]
    assert hits(by_voter, unsorted) > MOST_HITS
    assert distance_from_chance(by_voter, unsorted) > FARTHEST
