"""Setting up: configuration, ports, processes left over, and what `make clean` may delete."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from ops import environment
from ops.children import end_leftover
from ops.machine import ROOT, SetupError, birth
from ops.roles import role_url
from ops.run import require_free

REQUIREMENTS = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-compiled.txt",
    "requirements-oracle.txt",
)


def test_a_role_url_keeps_the_server_and_changes_who_logs_in_to_what() -> None:
    url = role_url("postgresql://a:b@/postgres?host=/some/where", "mvote_api", "pw", "mvote")
    assert conninfo_to_dict(url) == {
        "user": "mvote_api",
        "password": "pw",
        "dbname": "mvote",
        "host": "/some/where",
    }


def test_a_role_url_keeps_host_port_and_database_if_no_other_is_named() -> None:
    url = role_url("postgresql+psycopg://a:b@db.city:6432/vote?sslmode=require", "c", "d")
    assert url == "postgresql://c:d@db.city:6432/vote?sslmode=require"


@pytest.mark.parametrize("password", ["p@ss:w/o?r#d", "100%", "비밀"])
def test_any_password_survives_the_url(password: str) -> None:
    url = role_url("postgresql://a:b@/postgres?host=/x", "mvote_api", password, "mvote")
    assert conninfo_to_dict(url)["password"] == password


def test_a_value_of_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# a comment\nexport A='one two'\n\nB=\nC=x=y\n", encoding="utf-8")
    assert environment.read_env_file(file) == {"A": "one two", "B": "", "C": "x=y"}


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_refused(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(SetupError, match="PORT is a number"):
        environment.port()


def test_a_port_in_use_is_refused_with_a_proposal() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"make run PORT={port + 1}"):
            require_free(port)


def test_a_leftover_process_ends_with_its_offspring_even_if_its_leader_is_dead() -> None:
    words = ["sh", "-c", "sleep 100 & echo $!; sleep 100"]
    leader = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert leader.stdout
    offspring, started = int(leader.stdout.readline()), birth(leader.pid)
    assert started
    leader.stdout.close()
    leader.kill()
    leader.wait()
    assert end_leftover(leader.pid, started)
    assert birth(offspring) is None


def test_a_process_that_only_has_the_number_of_a_leftover_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "100"], start_new_session=True) as other:
        assert not end_leftover(other.pid, "another boot 12345")
        assert other.poll() is None
        other.kill()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with keys, logs and nothing that runs."""
    shutil.copytree(ROOT / "ops", tmp_path / "ops")
    for name in ("var/keys/poll/pk", "var/log/web.log", "var/outbox.jsonl", ".venv/bin/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("content", encoding="utf-8")
    return tmp_path


def clean(clone: Path, **variables: str) -> str:
    inherited = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", "ops.clean"],
        cwd=clone,
        env=inherited | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def files(clone: Path) -> set[str]:
    found = (path.relative_to(clone) for path in clone.rglob("*") if path.is_file())
    return {str(path) for path in found if path.parts[0] != "ops"}


def test_clean_removes_all_that_was_made(clone: Path) -> None:
    clean(clone)
    assert files(clone) == set()


def test_clean_keeps_the_keys_of_a_given_database_and_says_so(clone: Path) -> None:
    said = clean(clone, DATABASE_URL="postgresql://a@/b")
    assert files(clone) == {"var/keys/poll/pk"}
    assert "DATABASE_URL is set" in said


def test_clean_knows_a_given_database_from_the_env_file(clone: Path) -> None:
    (clone / ".env").write_text("DATABASE_URL=postgresql://a@/b\n", encoding="utf-8")
    clean(clone)
    assert files(clone) == {"var/keys/poll/pk", ".env"}


def test_clean_keeps_keys_and_passwords_once_a_given_database_was_used(clone: Path) -> None:
    (clone / "var/roles.env").write_text("", encoding="utf-8")
    clean(clone)
    assert files(clone) == {"var/keys/poll/pk", "var/roles.env"}


def test_clean_keeps_a_keystore_that_lies_elsewhere_in_var(clone: Path) -> None:
    variables = {"DATABASE_URL": "postgresql://a@/b", "KEYSTORE_DIR": str(clone / "var/log")}
    clean(clone, **variables)
    assert files(clone) == {"var/log/web.log"}


def test_clean_touches_nothing_else_in_a_var_dir_of_the_persons_own(clone: Path) -> None:
    (clone / "var").rename(clone / "mine")
    clean(clone, VAR_DIR=str(clone / "mine"))
    assert files(clone) >= {"mine/keys/poll/pk", "mine/outbox.jsonl"}


def test_every_variable_that_is_read_is_explained_in_the_example() -> None:
    files = ("api/settings.py", "api/attestation/settings.py")
    source = "".join((ROOT / name).read_text(encoding="utf-8") for name in files)
    read = set(re.findall(r'"([A-Z][A-Z0-9]*_[A-Z0-9_]+)"', source)) | {"PORT", "WEB_WORKERS"}
    assert read <= set(environment.read_env_file(ROOT / ".env.example"))


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in wanted if not re.match(r"[\w.\[\]-]+==[\w.]+(\s+# \S|$)", line)] == []


def test_help_lists_every_command() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    commands = ("run", "stop", "test", "lint", "bench", "openapi", "migrate", "clean")
    assert all(f"  make {command} " in done.stdout for command in commands)
