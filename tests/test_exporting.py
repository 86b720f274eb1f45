"""What was imported goes out again as .pb, tells nothing of voters, and comes back the same."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvote.budget.pabulib import packing
from mvote.budget.pabulib.ballots import Ballot
from mvote.budget.pabulib.packing import Packer
from mvote.budget.pabulib.reading import Reader
from tests.support.budgets import running
from tests.support.elections import allocation, exported, imported
from tests.support.pb import pb_text
from tests.support.world import World
from tests.test_pabulib_files import FILES
from tests.test_pabulib_writing import faults

REFERENCES = ("a", "b", "c")


@pytest.mark.parametrize("name", FILES)
def test_the_checker_accepts_a_real_election_as_we_give_it_out(
    world: World, shared_data: Path, name: str
) -> None:
    content = (shared_data / "pabulib" / f"{name}.pb").read_bytes()
    again = exported(world, imported(world, content))
    assert faults(again) == {}


@pytest.mark.parametrize("name", FILES)
def test_a_real_election_that_was_exported_comes_back_with_the_same_allocation(
    world: World, shared_data: Path, name: str
) -> None:
    first = imported(world, (shared_data / "pabulib" / f"{name}.pb").read_bytes())
    content = exported(world, first)
    second = imported(world, content)
    one, other = allocation(world, first), allocation(world, second)
    assert [one[part] for part in ("binding", "comparisons", "notes")] == [
        other[part] for part in ("binding", "comparisons", "notes")
    ]
    assert exported(world, second) == content


def test_every_ballot_is_there_again_in_its_order(world: World) -> None:
    votes = ["a,b", "c", "b", "a"] * 600
    content = exported(world, imported(world, pb_text(dict.fromkeys("abc", 5), votes, 9)))
    ballots = [",".join(ballot.references) for ballot in Reader(io.BytesIO(content))]
    assert ballots == votes


def test_of_voters_a_number_goes_out_and_nothing_else(world: World) -> None:
    lines = pb_text({"a": 5, "b": 6}, ["a", "b"], 9).splitlines()
    lines[-3:] = ["voter_id;age;sex;vote;neighborhood", "kim;34;M;a;north", "lee;71;F;b;south"]
    content = exported(world, imported(world, "\n".join(lines))).decode()
    assert content.endswith("VOTES\nvoter_id;vote\n1;a\n2;b\n")
    assert not any(word in content for word in ("kim", "lee", "34", "71", "north", "sex", "age;"))


def test_ties_are_broken_alike_after_an_export(world: World) -> None:
    """The lot is drawn from what META says; neither order of projects nor spaces change that."""
    content = pb_text(dict.fromkeys("abcdefgh", 5), [",".join("hgfedcba")], 20, unit="so   far")
    first = imported(world, content)
    second = imported(world, exported(world, first))
    assert allocation(world, first)["binding"] == allocation(world, second)["binding"]


def test_what_stands_in_quotes_goes_out_in_quotes(world: World) -> None:
    content = pb_text({"a": 5}, ["a"], 9, description='"one; ""two"""')
    again = exported(world, imported(world, content))
    assert Reader(io.BytesIO(again)).head.meta["description"] == 'one; "two"'


def test_a_cycle_whose_single_ballots_are_not_known_has_no_pb_file(world: World) -> None:
    answer = world.client.get(f"/v1/cycles/{running(world)['id']}/export.pb")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "results-not-available")


@given(
    st.lists(
        st.dictionaries(st.sampled_from(REFERENCES), st.integers(0, 10**9)).map(
            lambda marks: Ballot(tuple(marks), tuple(marks.values()))
        )
    )
)
def test_ballots_packed_and_unpacked_are_the_same(ballots: list[Ballot]) -> None:
    packer = Packer(REFERENCES, with_points=True)
    portions = packer.portions(ballots)
    assert [each for portion in portions for each in packer.unpacked(*portion)] == ballots


def test_a_mark_takes_two_bytes_and_its_points_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PORTION", 2)
    ballots = [Ballot(("a", "c"), (1, 1)), Ballot((), ()), Ballot(("b",), (1,))]
    sizes = {
        with_points: [
            (count, len(packed))
            for count, packed in Packer(REFERENCES, with_points=with_points).portions(ballots)
        ]
        for with_points in (False, True)
    }
    assert sizes == {False: [(2, 8), (1, 4)], True: [(2, 16), (1, 8)]}
