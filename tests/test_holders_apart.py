"""Holders under system users of their own share a keystore, each with no more than it needs.

The folders are made by the commands of `docs/keys.md`. Making users takes root, as in CI; without
it nothing of this is tried, and pytest says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from mvote.ballotbox.keystore import DirectoryKeystore, Holder
from tests.support.users import HOLDERS, done_as, users_of_our_own

GUIDE = Path(__file__).resolve().parent.parent / "docs" / "keys.md"
MASTERS = {holder: os.urandom(32) for holder in HOLDERS}
SECRET = bytes(range(32))
LINK, ROLL, SEALING = "poll/1/L", "poll/1/V", "sealing/1"
As = Callable[[Holder, Callable[[DirectoryKeystore], object]], str]

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="NOT TRIED: only root can make the system users that this needs"
)


def documented_commands(mark: str = "run by a test") -> str:
    found = re.search(rf"{mark} -->\n```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def keys() -> Iterator[Path]:
    """A keystore as the guide makes it, and who may go into the folders above."""
    above = Path(tempfile.mkdtemp(prefix="mvote-holders-"))  # pytest's own is closed to others
    above.chmod(0o755)
    yield above / "keys"
    shutil.rmtree(above)


@pytest.fixture
def acting(keys: Path) -> Iterator[As]:
    """Lets a holder do something with its keystore, as its own user."""
    with users_of_our_own() as prefix:
        commands = documented_commands().replace("mvote-", prefix)
        commands = commands.replace("/var/lib/mvote/keys", str(keys))
        subprocess.run(["bash", "-euc", commands], check=True, capture_output=True)

        def act(holder: Holder, do: Callable[[DirectoryKeystore], object]) -> str:
            def as_its_user() -> object:
                keystore = DirectoryKeystore(keys, holder, MASTERS[holder])
                keystore.introduce()
                return do(keystore)

            return done_as(prefix + holder, as_its_user)

        for holder in ("shuffler", "counter", "auditor", "api"):
            assert act(holder, lambda keystore: keystore.names("")) == "[]"
        yield act


def hand_over(keystore: DirectoryKeystore) -> None:
    keystore.hand_over("shuffler", LINK, SECRET)
    keystore.hand_over("auditor", ROLL, SECRET)


def list_it(folder: Path, _: DirectoryKeystore) -> object:
    return list(folder.iterdir())


def read_its_public_key(folder: Path, _: DirectoryKeystore) -> object:
    return (folder / "wrapping.pub").read_bytes()


def leave_a_file(folder: Path, _: DirectoryKeystore) -> object:
    return (folder / "x").write_bytes(b"")


def test_each_holder_opens_what_the_web_hands_it(acting: As) -> None:
    assert acting("api", hand_over) == "None"
    assert acting("shuffler", lambda keystore: keystore.get(LINK)) == str(SECRET)
    assert acting("auditor", lambda keystore: keystore.get(ROLL)) == str(SECRET)


def test_each_holder_destroys_for_good_what_the_web_has_made_in_its_folder(
    acting: As, keys: Path
) -> None:
    acting("api", hand_over)
    assert acting("shuffler", lambda keystore: keystore.destroy(LINK)) == "True"
    assert not (keys / "shuffler/poll/1").exists()
    again = acting("api", lambda keystore: keystore.hand_over("shuffler", LINK, SECRET))
    assert again == "FileExistsError"
    assert acting("api", lambda keystore: keystore.is_held(LINK)) == "False"


def test_each_holder_mends_and_wraps_anew_what_the_web_has_made(acting: As) -> None:
    acting("api", hand_over)
    assert acting("auditor", lambda keystore: keystore.rewrap()) == "[]"
    assert acting("auditor", lambda keystore: keystore.get(ROLL)) == str(SECRET)


def test_the_web_sees_whether_the_counter_still_has_a_key_and_cannot_read_it(
    acting: As, keys: Path
) -> None:
    acting("counter", lambda keystore: keystore.put(SEALING, SECRET))
    assert acting("api", lambda keystore: keystore.is_held(SEALING)) == "True"
    sealed = keys / "counter" / f"{SEALING}.key"
    assert acting("api", lambda _: sealed.read_bytes()) == "PermissionError"
    assert acting("counter", lambda keystore: keystore.destroy(SEALING)) == "True"
    assert acting("api", lambda keystore: keystore.is_held(SEALING)) == "False"


@pytest.mark.parametrize("file", ["wrapping.pub", "log/1.key", "city-checkpoint", ".gone"])
def test_the_web_can_neither_replace_nor_remove_what_is_the_shufflers(
    acting: As, keys: Path, file: str
) -> None:
    acting("shuffler", lambda keystore: keystore.put("log/1", SECRET))
    path = keys / "shuffler" / file
    assert acting("api", lambda _: path.write_bytes(b"mine")) == "PermissionError"
    if path.exists():
        assert acting("api", lambda _: path.unlink()) == "PermissionError"
        assert acting("api", lambda _: path.rename(path.with_name("other"))) == "PermissionError"


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_the_web_cannot_hold_up_the_shuffler_by_its_lock(acting: As, keys: Path, mode: str) -> None:
    lock = keys / "shuffler" / ".lock"
    lock.chmod(0o660)  # as earlier versions left it
    assert acting("shuffler", lambda keystore: keystore.put("log/1", SECRET)) == "None"
    assert acting("api", lambda _: lock.open(mode)) == "PermissionError"
    assert acting("api", lambda _: lock.rename(lock.with_name("other"))) == "PermissionError"


def test_a_link_that_the_web_leaves_opens_no_folder_of_the_shufflers(
    acting: As, keys: Path
) -> None:
    acting("api", hand_over)
    copy, folder = keys.with_name("copy"), keys / "shuffler/poll/1"
    subprocess.run(["cp", "-a", keys, copy], check=True)

    def leave_a_link(_: DirectoryKeystore) -> None:
        (folder / "L.key").unlink()
        folder.rmdir()
        folder.symlink_to("..")

    def mend(_: DirectoryKeystore) -> object:
        return DirectoryKeystore(keys, "shuffler", MASTERS["shuffler"], copy=copy).get(LINK)

    assert acting("api", leave_a_link) == "None"
    assert acting("shuffler", mend) == str(SECRET)
    assert (keys / "shuffler").stat().st_mode & 0o777 == 0o750


def test_the_web_does_not_read_what_is_not_handed_over(acting: As, keys: Path) -> None:
    acting("shuffler", lambda keystore: keystore.put("log/1", SECRET))
    path = keys / "shuffler/log/1.key"
    assert acting("api", lambda _: path.read_bytes()) == "PermissionError"


@pytest.mark.parametrize("visitor", ["shuffler", "counter", "auditor"])
def test_no_other_holder_gets_into_anybodys_folder(acting: As, keys: Path, visitor: Holder) -> None:
    acting("api", hand_over)
    for holder in set(HOLDERS) - {visitor}:
        for visit in (list_it, read_its_public_key, leave_a_file):
            assert acting(visitor, partial(visit, keys / holder)) == "PermissionError"


def test_where_nobody_may_look_nobody_says_that_a_key_is_gone(acting: As, keys: Path) -> None:
    acting("counter", lambda keystore: keystore.put(SEALING, SECRET))
    (keys / "counter").chmod(0o700)
    assert acting("api", lambda keystore: keystore.is_held(SEALING)) == "PermissionError"


def test_without_the_setgid_bit_nobody_but_the_owner_gets_any_right(acting: As, keys: Path) -> None:
    (keys / "shuffler").chmod(0o770)  # the twin: open to the group, and not shared on purpose
    acting("shuffler", lambda keystore: keystore.put("log/1", SECRET))
    assert (keys / "shuffler/log").stat().st_mode & 0o077 == 0
    assert (keys / "shuffler/log/1.key").stat().st_mode & 0o077 == 0


def test_a_holders_master_key_stands_on_no_command_line_while_it_introduces_itself(
    keys: Path,
) -> None:
    """What every user of the machine can read; the environment is its process's own."""
    above, said = keys.parent, "MASTER_KEY=not-for-everybody"
    for holder in HOLDERS:
        (above / f"{holder}.env").write_text(said)
    look = "sh -c 'echo $MASTER_KEY; for each in /proc/[0-9]*; do cat $each/cmdline; echo; done'"
    with users_of_our_own() as prefix:
        for holder in HOLDERS:
            subprocess.run(["useradd", "--system", "--user-group", prefix + holder], check=True)
        commands = documented_commands("run by a test, too").replace("mvote-", prefix)
        commands = commands.replace("/etc/mvote", str(above))
        commands = commands.replace(".venv/bin/flask --app wsgi keys init", look)
        done = subprocess.run(["bash", "-euc", commands], capture_output=True, check=True)
    assert done.stdout.count(b"not-for-everybody\n") == len(HOLDERS)
    assert said.encode() not in done.stdout
