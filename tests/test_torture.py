"""When things go wrong: short forms of `make torture`, on a cluster and a server of their own."""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ops.bench.stage import Installation, Stage, staged
from ops.cluster import ensure_cluster
from ops.torture import clock, closing, crowding, disk, killing, leaks, shuffling
from ops.torture.needles import Needles, forms
from ops.torture.scene import Receipt, Scene, account

CLUSTER = "pg-torture"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A cluster that nobody else uses: it is killed."""
    level = logging.getLogger("mvote").level
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAR_DIR", str(tmp_path_factory.mktemp("var")))
        with staged(CLUSTER) as stage:
            yield stage
            ensure_cluster(CLUSTER)
    logging.getLogger("mvote").setLevel(level)


@pytest.fixture
def here(stage: Stage) -> Iterator[Installation]:
    """A fresh installation."""
    ensure_cluster(CLUSTER)
    with stage.installation(f"torture_{secrets.token_hex(4)}") as installation:
        yield installation


def test_when_postgresql_is_killed_under_load_no_acknowledged_ballot_is_lost_or_doubled(
    here: Installation,
) -> None:
    found, load = killing.kill_postgres_under_load(here, CLUSTER, rounds=3, ballots=500)
    assert found.holds, found
    assert found.acknowledged == found.in_the_log == 1500
    assert load.answers["503"] + load.answers["no answer"] > 0  # the kills were felt
    assert load.refusals == []


def test_when_web_workers_are_killed_all_the_time_each_voter_has_exactly_one_ballot(
    here: Installation,
) -> None:
    found, load, killed = killing.kill_workers_under_load(here, ballots=2000, most=40)
    assert found.holds, found
    assert found.acknowledged == found.in_the_log == 2000
    assert killed > 3  # whether anybody waited for just these is chance
    assert load.refusals == []


def test_when_shufflers_are_killed_in_mid_batch_again_and_again_each_ballot_is_in_the_log_once(
    here: Installation,
) -> None:
    found, load, killed = shuffling.kill_shufflers(here, ballots=600, at_least=3)
    assert found.holds, found
    assert found.acknowledged == found.in_the_log == 600
    assert killed >= 3
    assert load.refusals == []


def test_of_a_crowd_each_is_refused_with_429_or_503_and_recorded_in_the_end(
    here: Installation,
) -> None:
    crowd = crowding.crowd_in(here, ballots=600)
    assert crowd.account.holds, crowd.account
    assert crowd.account.acknowledged == crowd.account.in_the_log == 600
    assert crowd.load.refusals == []
    assert crowd.load.answers["503"] + crowd.load.answers["429"] > 0


def test_the_account_finds_a_ballot_that_was_lost_or_doubled_or_made_up(
    here: Installation,
) -> None:
    """The sabotaged twin: the same comparison, with what must not happen."""
    scene = Scene.set(here)
    voters = scene.casters(2)
    receipts = {v: Receipt(v.tracker(scene.poll_id), "00" * 32) for v in voters}
    with psycopg.connect(here.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        for index, tracker in enumerate([receipts[voters[0]].tracker] * 2 + ["ff" * 16], start=1):
            connection.execute(
                "INSERT INTO log_entry (poll_id, idx, kind, data) VALUES (%s, %s, 1, %s)",
                [scene.poll_id, index, bytes.fromhex(tracker) + bytes(32)],
            )
    found = account(scene, voters, receipts)
    assert (found.lost, found.doubled) == (1, 1)
    assert found.strange >= 1
    assert not found.holds


def test_a_close_against_sixteen_writers_leaves_nothing_uncounted_and_lets_nothing_in_late(
    here: Installation,
) -> None:
    found = closing.close_against_writers(here, rounds=3)
    assert found.holds, found
    assert found.acknowledged >= 3 * closing.WRITERS


def test_a_full_disk_loses_no_acknowledged_ballot_and_is_survived(here: Installation) -> None:
    try:
        full = disk.fill_the_disk(here, CLUSTER, ballots=800)
    except disk.NotPermitted as reason:
        pytest.skip(str(reason))
    assert full.account.holds, full.account
    assert full.account.acknowledged == 800
    assert full.load.answers["503"] >= disk.REFUSED
    assert full.load.refusals == []


def test_after_real_casts_no_choice_place_key_or_number_is_in_dump_log_or_file(
    here: Installation,
) -> None:
    """And what is planted there is found, so the search can fail."""
    scene = leaks.set_scene(here)
    voters = leaks.secrets_of(scene, 200)
    leaks.live(scene, voters)
    wanted = leaks.needles(scene, voters)
    places = leaks.sources(scene, CLUSTER)
    assert leaks.search(wanted, places) == {place: {} for place in places}
    with psycopg.connect(here.admin_url) as connection:
        connection.execute("CREATE TABLE planted (a bytea, b text)")
        planted = [voters[0].caster.key.encode(), voters[1].phone]
        connection.execute("INSERT INTO planted VALUES (%s, %s)", planted)
    found = leaks.search(wanted, leaks.sources(scene, CLUSTER))
    for place in ("dump", "write-ahead log", "data files"):
        assert found[place].keys() == {"keys K", "phone numbers"}, place


@pytest.mark.parametrize("number", range(len(list(forms(b"a needle of some bytes")))))
@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc", b"1234567"])
def test_a_needle_is_found_in_every_form_and_at_every_place(number: int, before: bytes) -> None:
    needle = b"\x00\xfe needle \xff of some bytes"
    wanted = Needles({"it": [needle], "other": [b"another one"]})
    assert wanted.within(before + list(forms(needle))[number] + b"  ") == {"it": 1}


@pytest.mark.parametrize("before", range(3))
def test_base64_of_a_longer_text_is_searched_for_what_is_in_it(before: int) -> None:
    wanted = Needles({"it": [b"the secret within"]})
    written = base64.b64encode(b"x" * before + b"the secret within" + b"more")
    assert wanted.within(written) == {"it": 1}


def test_a_needle_across_two_pieces_of_a_file_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.torture.needles.PIECE", 64)
    file = tmp_path / "file"
    for start in range(40, 64):
        file.write_bytes(bytes(start) + b"a needle of some bytes" + bytes(64))
        assert "it" in Needles({"it": [b"a needle of some bytes"]}).in_files([file])


def test_while_the_web_servers_clock_is_an_hour_off_no_poll_opens_or_closes(
    here: Installation,
) -> None:
    cases = clock.turn(here)
    assert [case for case in cases if not case.holds] == []
    assert len(cases) == 12
