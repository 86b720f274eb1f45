"""Box and log as they must be: what every test of shuffling ends with."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from itertools import pairwise

from mvote.ballotbox import merkle
from mvote.ballotbox.log import leaf_of
from mvote.polls.definition import FrozenPoll
from tests.support.world import World


def batches_in(world: World, poll_id: uuid.UUID) -> list[list[tuple[int, bytes]]]:
    """The entries of the log, (kind, data), one list for each checkpoint; all roots are checked."""
    entries = [
        (kind, bytes(data))
        for kind, data in world.rows(
            "SELECT kind, data FROM log_entry WHERE poll_id = %s ORDER BY idx", poll_id
        )
    ]
    leaves = [leaf_of(*entry) for entry in entries]
    found = world.rows("SELECT size, root FROM checkpoint WHERE poll_id = %s ORDER BY 1", poll_id)
    for size, root in found:
        assert bytes(root) == merkle.root_of(leaves[:size])
    sizes = [0, *(size for size, _ in found)]
    assert sizes[-1] == len(entries)
    return [entries[start:end] for start, end in pairwise(sizes)]


def check_log(world: World, poll: FrozenPoll, trackers: Collection[str]) -> None:
    """The log is the definition, then sorted batches; each of *trackers* is in it or waits, once.

    And the box holds a sealed ballot at the place of each ballot's entry, and nowhere else.
    """
    batches = batches_in(world, poll.poll_id)
    logged = list[str]()
    for batch in batches:
        ballots = [data[:16].hex() for kind, data in batch if kind == 1]
        assert ballots == sorted(ballots)
        logged += ballots
    entries = [entry for batch in batches for entry in batch]
    assert entries[:1] in ([], [(0, poll.hash)])
    assert len(set(logged)) == len(logged)
    assert set(logged) <= set(trackers)
    places = [place for place, (kind, _) in enumerate(entries) if kind == 1]
    boxed = world.rows("SELECT idx FROM box WHERE poll_id = %s ORDER BY idx", poll.poll_id)
    assert [place for (place,) in boxed] == places
    assert waiting(world, poll) + len(logged) == len(trackers)


def batches_out(world: World, poll: FrozenPoll) -> int:
    """How many batches the log has; may be asked while they are made."""
    counted = world.rows("SELECT count(*) FROM checkpoint WHERE poll_id = %s", poll.poll_id)
    return int(counted[0][0])


def waiting(world: World, poll: FrozenPoll) -> int:
    """How many envelopes wait to be shuffled."""
    return int(world.rows("SELECT count(*) FROM envelope WHERE poll_id = %s", poll.poll_id)[0][0])
