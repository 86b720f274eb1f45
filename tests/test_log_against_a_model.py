"""The log against a model: casts, shuffles and notices in any order, then the end of the poll."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from tests.support.ballots import cast_together, frozen, strangers
from tests.support.boxes import batches_in, check_log, waiting
from tests.support.governing import both
from tests.support.world import World, new_key

K = 50
CAST, SHUFFLE, NOTICE = "cast", "shuffle", "notice"
DEFINITION_KIND, BALLOT_KIND, NOTICE_KIND, STATEMENT_KIND = 0, 1, 3, 4
casts = st.tuples(st.just(CAST), st.sampled_from((1, K - 1, K, 2 * K, 2 * K + 13)))
others = st.tuples(st.sampled_from((SHUFFLE, NOTICE)), st.just(1))
courses = st.lists(st.one_of(casts, others), max_size=9)


@dataclass
class Model:
    """What ought to stand in the log, by kind: a list for each transaction."""

    waiting: int = 0
    notices: int = 0
    batches: list[list[int]] = field(default_factory=list)

    def round(self, *, last: bool = False) -> None:
        """What one round of the shuffler does."""
        if last:
            self._append([BALLOT_KIND] * self.waiting, even_none=True)
            self.waiting = 0
        elif self.waiting >= 2 * K:
            self._append([BALLOT_KIND] * (self.waiting - K))
            self.waiting = K
        self._append([NOTICE_KIND] * self.notices)
        self.notices = 0

    def _append(self, kinds: list[int], *, even_none: bool = False) -> None:
        if not self.batches and (kinds or even_none):
            kinds = [DEFINITION_KIND, *kinds]
        if kinds:
            self.batches.append(kinds)


@given(course=courses)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_happens_in_whatever_order_the_log_is_what_it_ought_to_be(
    world: World, course: list[tuple[str, int]]
) -> None:
    world.stock_keys()
    poll = world.open_poll(publish_from=2)
    known, model, trackers = frozen(world, poll), Model(), list[str]()
    for what, count in course:
        match what:
            case "cast":
                trackers += cast_together(world, known, strangers(count))
                model.waiting += count
            case "notice":
                assert both(world, poll, "notices", text=f"정정 {new_key()}").status_code < 300
                model.notices += 1
            case _:
                world.run_shuffler()
                model.round()
        check_log(world, known, trackers)
        assert waiting(world, known) == model.waiting
    world.close(poll)
    model.round(last=True)
    check_log(world, known, trackers)
    world.run_counter()
    world.run_shuffler()
    model.batches.append([STATEMENT_KIND])
    check_log(world, known, trackers)
    batches = batches_in(world, known.poll_id)
    assert [[kind for kind, _ in batch] for batch in batches] == model.batches
    assert _by_another_implementation(batches) == _newest_root(world, known.poll_id.hex)


def _by_another_implementation(batches: list[list[tuple[int, bytes]]]) -> bytes:
    tree = InmemoryTree(algorithm="sha256")
    for batch in batches:
        for kind, data in batch:
            tree.append_entry(bytes([kind]) + data)
    return bytes(tree.get_root())


def _newest_root(world: World, poll_id: str) -> bytes:
    newest = "SELECT root FROM checkpoint WHERE poll_id = %s::uuid ORDER BY size DESC LIMIT 1"
    return bytes(world.rows(newest, poll_id)[0][0])
