"""The second copy as an operator meets it: settings, `keys check`, `keys mend`."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from api.app import create_app
from api.holders import open_keystore
from api.settings import Misconfigured, Settings, read_settings
from jobs import counter_round
from tests.support.disks import SECRET
from tests.support.world import World


def test_check_names_what_a_copy_lacks_and_mend_makes_it_whole(
    app: Flask, tmp_path: Path, tidy: None, caplog: pytest.LogCaptureFixture
) -> None:
    runner, kept = app.test_cli_runner(), dict(app.extensions)
    (tmp_path / "copy").mkdir()
    settings = replace(kept["settings"], keystore=tmp_path / "keys",
                       keystore_copy=tmp_path / "copy")  # fmt: skip
    app.extensions["settings"] = settings
    app.extensions["keystore"] = open_keystore(settings, "api")
    try:
        assert runner.invoke(args=["keys", "init"]).exit_code == 0
        assert runner.invoke(args=["keys", "check"]).exit_code == 0
        (tmp_path / "copy/api/anchor.key").unlink()
        (tmp_path / "copy/api/phone-hash.key").write_bytes(b"rubbish")
        result = runner.invoke(args=["keys", "check"])
        assert result.exit_code == 1
        assert set(result.stderr.splitlines()) == {
            "api/anchor: missing in the copy",
            "api/phone-hash: unreadable in the copy",
        }
        caplog.clear()
        mended = runner.invoke(args=["keys", "mend"])
        assert mended.stdout.splitlines() == ["mended api/anchor", "mended api/phone-hash"]
        assert (mended.stderr, caplog.messages) == ("", [])  # each is told once
        assert runner.invoke(args=["keys", "check"]).exit_code == 0
    finally:
        app.extensions.update(kept)


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    return {"MVOTE_ENV": "test", "VAR_DIR": str(tmp_path),
            "KEYSTORE_COPY_DIR": str(tmp_path / "copy")}  # fmt: skip


def test_the_copy_may_not_be_the_keystore_itself(given: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no second copy"):
        read_settings(given | {"KEYSTORE_COPY_DIR": str(tmp_path / "keys" / "..") + "/keys"})


def test_a_process_starts_without_its_copy_because_voting_must_go_on(
    given: dict[str, str], tmp_path: Path
) -> None:
    settings: Settings = read_settings(given)
    (tmp_path / "copy").mkdir()
    open_keystore(settings, "api").put("anchor", SECRET)
    shutil.rmtree(tmp_path / "copy")
    assert open_keystore(settings, "api").get("anchor") == SECRET


def test_the_web_server_starts_without_its_copy_too(settings: Settings, tmp_path: Path) -> None:
    own = replace(settings, keystore=tmp_path / "keys", keystore_copy=tmp_path / "copy")
    (tmp_path / "copy").mkdir()
    create_app(own)
    shutil.rmtree(tmp_path / "copy")
    create_app(own)


def test_no_poll_opens_while_its_keys_could_not_be_kept_twice(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(world.settings, keystore_copy=tmp_path / "away")
    away = replace(world.wiring, keystore=open_keystore(settings, "api"))
    monkeypatch.setitem(world.app.extensions, "wiring", away)
    officer = world.officer()
    draft = world.draft(officer)
    opening = f"/v1/polls/{draft['id']}/open"
    refused = world.client.post(opening, headers=officer.headers)
    body = refused.get_json()
    assert (refused.status_code, body["code"]) == (409, "not-ready-to-open")
    assert [each["code"] for each in body["hindrances"]] == ["keystore-away"]
    assert world.count("poll_definition") == 0
    assert world.rows("SELECT count(*) FROM sealing_key WHERE poll_id IS NOT NULL") == [(0,)]
    (tmp_path / "away").mkdir()
    assert world.client.post(opening, headers=officer.headers).status_code == 200


def test_what_is_closed_is_counted_while_the_copy_is_away(world: World, tmp_path: Path) -> None:
    poll = world.open_poll()
    world.close(poll)
    counter = open_keystore(replace(world.settings, keystore_copy=tmp_path / "away"), "counter")
    stock = world.count("sealing_key")
    counter_round(world.engines["counter"], counter)
    assert world.rows("SELECT state FROM poll") == [("published",)]
    assert world.count("sealing_key") == stock  # none was made that lies in one place only
