"""The languages that one can be written to in are those that there are files of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from mvote import languages
from mvote.languages import TRANSLATIONS, said
from ops.messages import brought_up_to_date, marked_sentences
from tests.support.hostile import check_problem, no_trace
from tests.support.inviting import PEOPLE, campaign_in
from tests.support.world import Person, World


@pytest.fixture
def polish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A third language, in which one thing is said: invitations."""
    for path in TRANSLATIONS.glob("*.po"):
        shutil.copy(path, tmp_path)
    begun = b'msgid ""\nmsgstr ""\n'
    lines = brought_up_to_date(begun, "pl", list(marked_sentences())).decode()
    begin = lines.index('msgstr ""', lines.index("Until {closes}. {link}"))
    words = '"Zagłosuj: {title} ({closes}) {link}"'
    file = tmp_path / "pl.po"
    file.write_text(lines[:begin] + f"msgstr {words}" + lines[begin + len('msgstr ""') :])
    caches = (languages.languages, languages.catalogue, languages.locale_of)
    monkeypatch.setattr(languages, "TRANSLATIONS", tmp_path)
    for cached in caches:
        cached.cache_clear()
    yield file
    for cached in caches:
        cached.cache_clear()


def asked(world: World, who: Person, language: str | None) -> TestResponse:
    """The answer to that choice."""
    version = world.client.get("/v1/me", headers=who.headers).headers["ETag"]
    headers = who.headers | {"If-Match": version}
    return world.client.patch("/v1/me", json={"language": language}, headers=headers)


def choose(world: World, who: Person, language: str | None) -> str | None:
    """What the account says afterwards."""
    answer = asked(world, who, language)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    chosen: str | None = answer.get_json()["language"]
    return chosen


def test_one_chooses_any_language_that_there_is_a_file_of(world: World, polish: Path) -> None:
    citizen = world.citizen()
    assert [choose(world, citizen, each) for each in ("pl", "ko", "en", None)] == [
        "pl", "ko", "en", None,
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["pl", "PL", "", "k", "english", "../ko", "ko_KR"])
def test_nobody_chooses_a_language_that_there_is_none_of(world: World, language: str) -> None:
    citizen = world.citizen()
    assert choose(world, citizen, "en") == "en"
    with no_trace(world):
        problem = check_problem(asked(world, citizen, language), 422, "invalid-request", "ko")
    assert [each["pointer"] for each in problem["errors"]] == ["/language"]
    assert world.rows("SELECT language FROM citizen WHERE id = %s", citizen.id) == [("en",)]


def test_invitations_are_sent_in_a_third_language_too(world: World, polish: Path) -> None:
    campaign = campaign_in(world)
    assert campaign.call(language="pl").status_code == 201
    campaign.messenger.do_round()
    assert len(campaign.letters.taken) == PEOPLE
    assert campaign.letters.taken[0][1].startswith("Zagłosuj: ")


def test_a_language_whose_file_is_gone_is_said_in_english(world: World, polish: Path) -> None:
    citizen = world.citizen()
    assert choose(world, citizen, "pl") == "pl"
    polish.unlink()
    languages.languages.cache_clear()
    assert said("An access token is needed.", "pl") == "An access token is needed."
    assert world.client.get("/v1/me", headers=citizen.headers).get_json()["language"] == "pl"
