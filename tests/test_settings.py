"""Settings: what must be said is asked for, what set-up left is found, nothing is guessed."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from api.holders import open_keystore
from api.people import provider_of
from api.settings import Misconfigured, read_settings

KEY = base64.b64encode(bytes(32)).decode()
PRODUCTION = {
    "MVOTE_ENV": "production",
    "API_MASTER_KEY": KEY,
    "SMS_GATEWAY_URL": "https://sms.example",
    "SMS_GATEWAY_SECRET": "s",
    "PUBLIC_URL": "https://vote.example",
}


def test_production_with_all_it_needs_is_accepted() -> None:
    assert read_settings(PRODUCTION).host == "vote.example"


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("API_MASTER_KEY", "master key"),
        ("SMS_GATEWAY_URL", "SMS_GATEWAY_URL"),
        ("SMS_GATEWAY_SECRET", "SMS_GATEWAY_SECRET"),
        ("PUBLIC_URL", "https"),
    ],
)
def test_production_refuses_to_start_without_what_it_needs(missing: str, named: str) -> None:
    given = {key: value for key, value in PRODUCTION.items() if key != missing}
    with pytest.raises(Misconfigured, match=named):
        read_settings(given)


@pytest.mark.parametrize("wrong", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_production_opens_no_keystore_with_a_missing_or_broken_master_key(
    wrong: str, tmp_path: Path
) -> None:
    given = PRODUCTION | {"KEYSTORE_DIR": str(tmp_path), "COUNTER_MASTER_KEY": wrong}
    with pytest.raises(Misconfigured, match="COUNTER_MASTER_KEY"):
        open_keystore(read_settings(given), "counter")


@pytest.mark.parametrize(
    "wrong",
    [
        {"MVOTE_ENV": "staging"},
        {"TRUSTED_PROXIES": "many"},
        {"PUBLIC_URL": "vote.example"},
        {"METRICS": "yes"},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        read_settings(wrong)


@pytest.mark.parametrize(
    ("said", "served"), [({}, False), ({"METRICS": ""}, False), ({"METRICS": "on"}, True)]
)
def test_production_tells_its_figures_only_where_that_is_asked_for(
    said: dict[str, str], served: bool
) -> None:
    assert read_settings(PRODUCTION | said).metrics is served
    assert read_settings({"MVOTE_ENV": "development"} | said).metrics


def test_a_command_finds_the_private_cluster_without_environment(tmp_path: Path) -> None:
    (tmp_path / "cluster.env").write_text("API_DATABASE_URL=postgresql://a:b@/mvote?host=/s\n")
    settings = read_settings({"VAR_DIR": str(tmp_path)})
    assert settings.api_url == "postgresql+psycopg://a:b@/mvote?host=/s"


def test_the_logins_of_another_server_are_not_used_for_a_given_database(tmp_path: Path) -> None:
    (tmp_path / "roles.env").write_text(
        "DATABASE_URL=postgresql://db.example/mvote\n"
        "API_DATABASE_URL=postgresql://mvote_api:x@db.example/mvote\n"
    )
    same = {"VAR_DIR": str(tmp_path), "DATABASE_URL": "postgresql://o:p@db.example/mvote"}
    assert "mvote_api" in read_settings(same).api_url
    other = same | {"DATABASE_URL": "postgresql://o:p@elsewhere.example/mvote"}
    assert read_settings(other).api_url == ""


def test_what_the_environment_says_wins_over_what_set_up_left(tmp_path: Path) -> None:
    (tmp_path / "cluster.env").write_text("API_DATABASE_URL=postgresql://left/x\n")
    given = {"VAR_DIR": str(tmp_path), "API_DATABASE_URL": "postgresql://said/x"}
    assert read_settings(given).api_url == "postgresql+psycopg://said/x"


def test_commands_beside_a_running_server_know_its_port_unless_another_is_said(
    tmp_path: Path,
) -> None:
    var = {"VAR_DIR": str(tmp_path)}
    note = tmp_path / "run.json"
    note.write_text(json.dumps({"pid": 1, "port": 18200}))
    assert read_settings(var).public_url == "http://127.0.0.1:18200"
    assert read_settings(var | {"PORT": "9000"}).public_url == "http://127.0.0.1:9000"
    assert read_settings(var | {"PUBLIC_URL": "https://vote.example"}).host == "vote.example"
    note.write_text("half")
    assert read_settings(var).public_url == "http://127.0.0.1:8000"


PROVIDER = {
    "IDENTITY_ISSUER": "https://id.example",
    "IDENTITY_AUDIENCE": "mvote",
    "IDENTITY_JWKS": "https://id.example/keys",
}


def test_production_takes_everybody_for_verified_only_where_that_is_said() -> None:
    with pytest.raises(Misconfigured, match="IDENTITY_ACR"):
        read_settings(PRODUCTION | PROVIDER)
    for said, asked in ({"*": frozenset(), "high, gold": frozenset({"high", "gold"})}).items():
        found = provider_of(read_settings(PRODUCTION | PROVIDER | {"IDENTITY_ACR": said}))
        assert found is not None
        assert found.verified_by == asked
