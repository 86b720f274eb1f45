"""Bundles that are made anew: a notice after publication, a witness who came later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from api.holders import open_keystore
from api.witnesses.http import HttpWitness
from mvote.ballotbox.checkpoints import city_origin
from mvote.ballotbox.log_keys import LogKeys
from tests.support.governing import correct
from tests.support.logs import as_superuser, grow
from tests.support.tampering import flipped
from tests.support.witnesses import new_witness, served, settle
from tests.support.world import World
from tests.test_bundles import names_in, published, verified

LOOK_NOW = "UPDATE bundle_wanted SET look_at = now()"


def test_a_correction_after_publication_comes_into_a_bundle_that_extends_the_one_before(
    world: World, tmp_path: Path
) -> None:
    poll = published(world)
    earlier = tmp_path / "earlier.zip"
    earlier.write_bytes(world.make_bundle(poll))
    said = "3쪽의 금액은 5억 원입니다."
    codes = [correct(world, poll, world.officer(), said).status_code for _ in range(2)]
    assert codes == [202, 201]
    later = world.make_bundle(poll)
    assert names_in(later) - names_in(earlier.read_bytes()) == {"notices/000.json"}
    code, status = verified(tmp_path, later, "--previous", earlier)
    assert (code, status["earlier download"], status["notices"]) == (0, "ok", "ok")
    assert world.count("bundle") == 2


def test_a_bundle_is_made_anew_when_a_witness_has_signed(world: World, tmp_path: Path) -> None:
    city = city_origin(world.settings.host)
    logs = LogKeys(open_keystore(world.settings, "shuffler")).verifiers(city)
    witness, pinned = new_witness(tmp_path / "witness", logs)
    with served(witness) as url:
        world.clerk = world.new_clerk(tmp_path / "mark", HttpWitness(pinned, url))
        assert settle(world.clerk)
        poll = published(world)
        first = world.make_bundle(poll)  # signed now, and shown to the witness only afterwards
        settle(world.clerk)
        as_superuser(world, LOOK_NOW)
        second = world.make_bundle(poll)
    for bundle, found in ((first, "not checked"), (second, "ok")):
        code, status = verified(tmp_path, bundle, "--pin", pinned.vkey)
        assert (code, status["witnesses"]) == (0, found)
    assert world.rows("SELECT cosignatures FROM bundle ORDER BY 1") == [(0,), (1,)]
    assert world.count("bundle_wanted") == 0


def test_a_bundle_from_before_any_witness_was_named_shows_the_witness_who_came_later(
    world: World, tmp_path: Path
) -> None:
    poll = published(world)
    earlier = world.make_bundle(poll)
    assert world.count("bundle_wanted") == 0  # nobody else was asked to sign
    city = city_origin(world.settings.host)
    logs = LogKeys(open_keystore(world.settings, "shuffler")).verifiers(city)
    witness, pinned = new_witness(tmp_path / "witness", logs)
    with served(witness) as url:
        world.clerk = world.new_clerk(tmp_path / "mark", HttpWitness(pinned, url))
        assert settle(world.clerk)
        renewed = world.make_bundle(poll)
    (tmp_path / "earlier.zip").write_bytes(earlier)
    for bundle, found in ((earlier, "not checked"), (renewed, "ok")):
        options = ("--pin", pinned.vkey, "--previous", tmp_path / "earlier.zip")
        code, status = verified(tmp_path, bundle, *options)
        assert (code, status["witnesses"], status["earlier download"]) == (0, found, "ok")
    world.make_bundle(poll)
    assert world.rows("SELECT cosignatures FROM bundle ORDER BY 1") == [(0,), (1,)]
    assert world.count("bundle_wanted") == 0


def test_a_witness_in_the_place_of_another_comes_into_a_bundle_that_showed_as_many(
    world: World, tmp_path: Path
) -> None:
    logs = LogKeys(open_keystore(world.settings, "shuffler")).verifiers(
        city_origin(world.settings.host)
    )
    first, second = (
        new_witness(tmp_path / name, logs, f"{name}.example.org") for name in ("first", "second")
    )
    poll = published(world)
    with served(first[0]) as url:
        _ask(world, HttpWitness(first[1], url))
        world.make_bundle(poll)  # which is shown to the witness only afterwards
        settle(world.clerk)
        as_superuser(world, LOOK_NOW)
        earlier = world.make_bundle(poll)
    assert world.count("bundle_wanted") == 0
    grow(world, world.open_poll())
    _ask(world)  # a state that the first one has not signed
    with served(second[0]) as url:
        _ask(world, HttpWitness(second[1], url))
        renewed = world.make_bundle(poll)
    (tmp_path / "earlier.zip").write_bytes(earlier)
    for bundle, pinned, found in (
        (earlier, first[1], "ok"),
        (earlier, second[1], "not checked"),
        (renewed, second[1], "ok"),
    ):
        options = ("--pin", pinned.vkey, "--previous", tmp_path / "earlier.zip")
        code, status = verified(tmp_path, bundle, *options)
        assert (code, status["witnesses"], status["earlier download"]) == (0, found, "ok")
    assert world.count("bundle_wanted") == 0


def _ask(world: World, *witnesses: HttpWitness) -> None:
    """Let the clerk begin anew with these *witnesses*, and let them sign what there is."""
    world.clerk = replace(world.clerk, witnesses=witnesses, most_witnesses=0)
    assert settle(world.clerk)


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_flipped_bit_of_what_was_served_is_found(
    world: World, tmp_path: Path, place: float
) -> None:
    bundle = world.make_bundle(published(world))
    assert verified(tmp_path, bundle)[0] == 0
    assert verified(tmp_path, flipped(bundle, int(place * len(bundle))))[0] == 1
