"""Witnesses behind TLS, with certificates of an authority of their own: known, or refused."""

from __future__ import annotations

import datetime as dt
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from api.witnesses.git import GitWitness
from api.witnesses.http import HttpWitness
from mvote.ballotbox.notes import open_note
from mvote.ballotbox.witnessing import Answer, Offer, Witness, WitnessFault
from tests.support.certificates import Authority
from tests.support.git_servers import git_server
from tests.support.witnesses import Log, Quiet, new_witness, serving
from verifier.mvote_witness import Handler

LOG = Log()
OFFER = Offer(note=LOG.note(3), size=3, old=0, proof=())
Visit = Callable[[ssl.SSLContext | None], Answer]
"""Goes to the server that shows this certificate; what the witness there says."""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this process was told of, as `docs/witnesses.md` says."""
    for variable in ("SSL_CERT_FILE", "GIT_SSL_CAINFO"):
        monkeypatch.setenv(variable, str(authority.file))
    return authority


@pytest.fixture
def visit_http(tmp_path: Path) -> Visit:
    witness, key = new_witness(tmp_path / "home", [LOG.verifier])
    handler = type("Served", (Quiet, Handler), {"witness": witness})

    def visit(context: ssl.SSLContext | None) -> Answer:
        with serving(handler, context) as url:
            answer = HttpWitness(key, url.replace("http:", "https:")).offer(OFFER)
        [note] = answer.notes
        assert len(open_note(note, [key, LOG.verifier]).signatures) == 2
        return answer

    return visit


@pytest.fixture
def visit_git(tmp_path: Path) -> Visit:
    _, key = new_witness(tmp_path / "home", [LOG.verifier])
    remote = tmp_path / "remotes" / "log.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)

    def visit(context: ssl.SSLContext | None) -> Answer:
        with serving(git_server(remote.parent), context) as url:
            address = url.replace("http:", "https:") + "/log.git"
            witness: Witness = GitWitness(key, address, tmp_path / "copy")
            assert witness.look() == Answer()
            witness.offer(OFFER)
            return witness.look()

    return visit


@pytest.fixture(params=["visit_http", "visit_git"])
def visit(request: pytest.FixtureRequest) -> Visit:
    found: Visit = request.getfixturevalue(request.param)
    return found


def test_a_witness_with_a_certificate_of_a_known_authority_is_reached(
    visit: Visit, trusted: Authority
) -> None:
    [note] = visit(trusted.server()).notes
    assert note.startswith(OFFER.note)


def test_a_certificate_of_an_unknown_authority_is_refused(
    visit: Visit, authority: Authority
) -> None:
    with pytest.raises(WitnessFault, match="certificate"):
        visit(authority.server())


def test_a_certificate_of_another_server_is_refused(visit: Visit, trusted: Authority) -> None:
    with pytest.raises(WitnessFault, match=r"certificate|does not match"):
        visit(trusted.server("192.0.2.1"))


def test_a_certificate_that_has_expired_is_refused(visit: Visit, trusted: Authority) -> None:
    with pytest.raises(WitnessFault, match=r"expired|certificate"):
        visit(trusted.server(ends=-dt.timedelta(hours=1)))


def test_a_server_without_tls_is_not_spoken_to_in_the_clear(
    visit: Visit, trusted: Authority
) -> None:
    with pytest.raises(WitnessFault):
        visit(None)


def test_what_is_wrong_with_a_certificate_stands_in_the_fault(
    visit_http: Visit, trusted: Authority
) -> None:
    with pytest.raises(WitnessFault, match=r"^its certificate is not accepted: .*mismatch"):
        visit_http(trusted.server("192.0.2.1"))
