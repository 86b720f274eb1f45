"""Commands whose surroundings fail them: one sentence on standard error, and no traceback."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import make_url

from api.app import create_app
from api.settings import Settings
from tests.support.database import TestCluster, without_database

POLL = "018f2f6e-7b1c-7000-8000-000000000000"
COMMANDS = [
    ("token",),
    ("administrators", "add", "--phone", "010-1234-5678"),
    ("polls", "progress"),
    ("trustees", "list"),
    ("trustees", "open", "--poll", POLL),
    ("box", "export", "--poll", POLL, "{file}"),
    ("box", "key", "--poll", POLL, "{file}"),
    ("demo", "load"),
    ("demo", "show"),
    ("demo", "reset", "--yes"),
    ("areas", "import-korea", "--sido", "11"),
]
each_command = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


def nobody_listens(url: str) -> str:
    """The same login at a port where no database is."""
    nowhere = make_url(url).set(host="127.0.0.1", port=1, query={})
    return nowhere.render_as_string(hide_password=False)


def run(
    app_of: Callable[..., Flask], settings: Settings, file: Path, words: tuple[str, ...]
) -> Result:
    app = app_of(settings)
    return app.test_cli_runner().invoke(args=[word.format(file=file) for word in words])


def at(settings: Settings, place: Callable[[str], str]) -> Settings:
    return replace(
        settings,
        owner_url=place(settings.owner_url),
        api_url=place(settings.api_url),
        shuffler_url=place(settings.shuffler_url),
        counter_url=place(settings.counter_url),
        auditor_url=place(settings.auditor_url),
    )


def assert_one_sentence(result: Result, said: str) -> None:
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)  # any other would have been a traceback
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert said in line


@each_command
def test_a_command_says_in_one_sentence_that_the_database_is_down(
    app_of: Callable[..., Flask], settings: Settings, tmp_path: Path, words: tuple[str, ...]
) -> None:
    nowhere = at(settings, nobody_listens)
    result = run(app_of, nowhere, tmp_path / "out", words)
    assert_one_sentence(result, "The database cannot be used: ")
    assert "refused" in result.stderr
    assert str(make_url(settings.api_url).password) not in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words", [("polls", "progress"), ("trustees", "list"), COMMANDS[-1]], ids=" ".join
)
def test_no_command_waits_for_ever_for_a_database_that_does_not_answer(
    app_of: Callable[..., Flask], settings: Settings, tmp_path: Path, words: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = {"host": "127.0.0.1", "port": silent.getsockname()[1], "query": {}}
        there = at(settings, lambda url: make_url(url).set(**place).render_as_string(False))
        result = run(app_of, there, tmp_path, words)
    assert_one_sentence(result, "timeout")


def test_a_database_that_is_not_there_is_named(
    app_of: Callable[..., Flask], settings: Settings, tmp_path: Path
) -> None:
    nowhere = at(settings, without_database)
    result = run(app_of, nowhere, tmp_path, ("polls", "progress"))
    assert_one_sentence(result, "nothing_at_all")


def test_a_database_that_was_never_migrated_is_to_be_migrated(
    app_of: Callable[..., Flask], settings: Settings, tmp_path: Path, cluster: TestCluster
) -> None:
    empty = cluster.empty("unmigrated")
    try:
        there = at(settings, lambda url: make_url(url).set(database=empty).render_as_string(False))
        result = run(app_of, there, tmp_path, ("polls", "progress"))
        assert_one_sentence(result, "alembic upgrade head")
    finally:
        cluster.drop(empty)


def test_keys_are_not_mended_while_the_copy_is_away_and_that_is_said(
    app_of: Callable[..., Flask], settings: Settings, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    own = replace(settings, keystore=tmp_path / "keys", keystore_copy=copy)
    create_app(own)  # with all its keys
    copy.rename(tmp_path / "away")
    result = run(app_of, own, tmp_path, ("keys", "mend"))
    assert_one_sentence(result, "the copy of the keystore is not there")
