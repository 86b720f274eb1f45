"""A witness with a git repository: checkpoints are pushed to it, cosignatures are fetched.

The files are those of a directory (`directory.py`); the copy here may be lost at any time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from api.witnesses.directory import DirectoryWitness
from mvote.ballotbox.notes import Verifier
from mvote.ballotbox.witnessing import Answer, Offer, WitnessFault

TIMEOUT_S = 20.0
BRANCH = "refs/heads/main"
OPTIONS = {
    "core.symlinks": "false",  # a link in their repository must not lead into our files
    "core.hooksPath": os.devnull,
    "protocol.ext.allow": "never",
    "user.name": "mvote",
    "user.email": "mvote@localhost",
    "commit.gpgSign": "false",
}


class GitWitness:
    """A witness that reads the branch `main` of the repository at *url*; *copy* is our clone."""

    readable = True
    every_s = 60.0

    def __init__(
        self, verifier: Verifier, url: str, copy: Path, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        self.verifier = verifier
        self._url, self._copy, self._timeout_s = url, copy, timeout_s
        self._files = DirectoryWitness(verifier, copy)

    def look(self) -> Answer:
        try:
            shutil.rmtree(self._copy, ignore_errors=True)  # whatever state we were killed in
            self._copy.mkdir(parents=True)
        except OSError as error:
            raise WitnessFault(f"no room for a copy: {error}") from None
        self._git("init", "--quiet", "--initial-branch=main")
        if self._git("ls-remote", "--", self._url, BRANCH):
            self._git("fetch", "--quiet", "--depth=1", "--", self._url, BRANCH)
            self._git("reset", "--quiet", "--hard", "FETCH_HEAD")
        return self._files.look()

    def offer(self, offer: Offer) -> Answer:
        answer = self._files.offer(offer)
        self._git("add", "--", *self._files.written)
        self._git("commit", "--quiet", "--allow-empty", f"--message=City log at {offer.size}")
        self._git("push", "--quiet", "--", self._url, f"HEAD:{BRANCH}")
        return answer

    def _git(self, *words: str) -> str:
        options = [part for pair in OPTIONS.items() for part in ("-c", "=".join(pair))]
        surroundings = {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=10",
            **os.environ,
            "GIT_CEILING_DIRECTORIES": str(self._copy.parent),
        }
        try:
            done = subprocess.run(
                ["git", *options, *words], cwd=self._copy, env=surroundings, check=False,
                capture_output=True, text=True, errors="replace", timeout=self._timeout_s,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise WitnessFault(f"git {words[0]}: {type(error).__name__}") from None
        if done.returncode:
            raise WitnessFault(f"git {words[0]}: {done.stderr.strip()[:300]}")
        return done.stdout
