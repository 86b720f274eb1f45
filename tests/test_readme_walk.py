"""The walks in the README, line by line with curl, against a running server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from tests.support.city import City, a_city
from tests.support.database import ROOT, TestCluster

REVIEW, DOORS = "## A walk through a review\n", "A private room, a list, and a place"
ADDRESS, FLASK = "http://127.0.0.1:8000", ".venv/bin/flask"


@contextmanager
def served(city: City) -> Iterator[str]:
    """The city's application behind a real socket; its address."""
    server = make_server("127.0.0.1", 0, city.app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def walk_at(address: str, below: str) -> str:
    """The lines of the README, where a refusal by the server ends them."""
    walk = re.compile(re.escape(below) + r".*?```sh\n(.*?)```", re.DOTALL)
    found = walk.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    lines = found[1].replace(ADDRESS, address).replace(FLASK, f"{sys.executable} -m flask")
    assert address in lines
    assert FLASK not in lines
    return lines.replace("curl -s ", "curl -sS --fail-with-body ")


def walk(
    city: City, address: str, below: str = REVIEW, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """What the lines below a heading come to; files they fetch lie in *folder*."""
    lines = walk_at(address, below).replace("-o ", f"-o {folder}/" if folder else "-o ")
    command = ["bash", "-euo", "pipefail", "-c", lines]
    environment = os.environ | city.environment()
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def seoul(cluster: TestCluster, worker_id: str, tmp_path: Path) -> Iterator[City]:
    """The demo, loaded."""
    with a_city(cluster, f"walk_{worker_id}", tmp_path) as city:
        assert city.run("demo", "load").exit_code == 0
        yield city


def test_every_line_of_the_walk_is_answered_and_ends_in_a_judgment(seoul: City) -> None:
    with served(seoul) as address:
        walked = walk(seoul, address)
    assert walked.returncode == 0, walked.stdout[-2000:] + walked.stderr[-2000:]
    assert seoul.rows(
        "SELECT motion, carried, yes + no + abstain, cardinality(roll) FROM judgment"
        " WHERE state = 'closed' AND shortlist_id IS NULL"
    ) == [("approve", True, 9, 9)]
    assert seoul.rows("SELECT ground FROM recusal") == [("household",)]
    with served(seoul) as address:  # sabotaged: the proposal is judged, and A has none such left
        again = walk(seoul, address)
    assert again.returncode != 0
