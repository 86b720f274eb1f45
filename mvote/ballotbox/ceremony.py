"""The ceremony, on a computer without network: `python -m mvote.ballotbox.ceremony make|drill`.

`make` makes a key, splits it among trustees and writes a sheet for each; `drill` lets them prove
that every group of them that may open the key can. Needs no database and no server.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from mvote.ballotbox.asking import Table, hidden_line, shown_line
from mvote.ballotbox.ceremony_record import NoRecord
from mvote.ballotbox.drill import DrillFailed, answer_of, read_challenge
from mvote.ballotbox.durably import write_once
from mvote.ballotbox.share_problems import ShareProblem
from mvote.ballotbox.shares import make_key
from mvote.ballotbox.sheets import sheet
from mvote.languages import at_once
from mvote.wording import counted, say

RECORD_FILE = "ceremony.json"
PUBLIC_KEY, RECORD = say("public key"), say("record of the ceremony")
STOPPED, PROVED = say("Stopped: nothing was kept."), say("Every group gives the key.")
IN_MEMORY = {"tmpfs", "ramfs"}


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; the exit status."""
    wanted = _arguments(words)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no crash writes the memory to a disk
    try:
        if wanted.act == "make":
            _make(wanted.out, _names(wanted.names), wanted.threshold, wanted.shares)
        else:
            _drill(wanted.challenge, wanted.out, show=wanted.show)
    except (DrillFailed, FileExistsError, NoRecord, OSError, ShareProblem) as error:
        _tell(f"{error}")
        return 1
    except (EOFError, KeyboardInterrupt):
        _tell(at_once(STOPPED))
        return 1
    return 0


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mvote.ballotbox.ceremony")
    acts = parser.add_subparsers(dest="act", required=True)
    make = acts.add_parser("make", help="make a key and a sheet for each trustee")
    make.add_argument("--threshold", type=int, required=True, help="how many open it")
    make.add_argument("--shares", type=int, required=True, help="how many trustees there are")
    make.add_argument("--names", nargs="+", required=True, help="theirs, a word each, or commas")
    make.add_argument("--out", type=Path, required=True, help="a new folder, best in memory")
    drill = acts.add_parser("drill", help="answer the server's challenge with all shares")
    drill.add_argument("--challenge", type=Path, required=True, help="the file from the server")
    drill.add_argument("--out", type=Path, help="the answer (default: answer.json beside it)")
    drill.add_argument("--show", action="store_true", help="show the words while they are typed")
    return parser.parse_args(words)


def _names(given: Sequence[str]) -> list[str]:
    """Names as given, one an argument, or several with commas between."""
    return [name.strip() for part in given for name in part.split(",") if name.strip()]


def _make(out: Path, names: list[str], threshold: int, shares: int) -> None:
    if len(names) != shares:
        raise NoRecord(f"{counted(shares, 'share')}, but {counted(len(names), 'name')}")
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; nothing was made")
    _warn_of_traces(out)
    made = make_key(names, threshold=threshold, made_on=dt.datetime.now().astimezone().date())
    for place, words in zip(made.record.places, made.words, strict=True):
        page = sheet(made.record, place, words)
        write_once(out / f"sheet-{place.number:02d}.html", page.encode())
    write_once(out / RECORD_FILE, made.record.content)
    _tell(f"{at_once(PUBLIC_KEY)}: {made.record.public_key.hex()}")
    _tell(f"{at_once(RECORD)}: {out / RECORD_FILE}, SHA-256 {made.record.hash.hex()}")
    _tell(
        at_once(
            say(
                "Print the {shares} sheets in {folder}, hand them out, take only the record with"
                " you, and switch the computer off.",
                shares=shares,
                folder=out,
            )
        )
    )


def _warn_of_traces(out: Path) -> None:
    """The sheets together are the key: where they are written, no trace of them may stay."""
    if _kind_of_disk(out) not in IN_MEMORY:
        _tell(
            at_once(
                say(
                    "Warning: {folder} is on a disk, which keeps traces of the sheets even after"
                    " they are deleted. Use a folder in memory, such as /dev/shm.",
                    folder=out,
                )
            )
        )
    swaps = Path("/proc/swaps")
    if swaps.exists() and len(swaps.read_text().splitlines()) > 1:
        _tell(at_once(say("Warning: swap is on, memory may reach a disk (swapoff -a).")))


def _kind_of_disk(folder: Path) -> str:
    """The kind of file system that *folder* lies on, "" where that cannot be told."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    real, best, kind = os.fspath(folder.resolve()), "", ""
    for line in mounts.read_text().splitlines():
        place, found = line.split()[1:3]
        below = real == place or real.startswith(place.rstrip("/") + "/")
        if below and len(place) >= len(best):
            best, kind = place, found
    return kind


def _drill(path: Path, out: Path | None, *, show: bool) -> None:
    challenge = read_challenge(path.read_bytes())
    record = challenge.record
    _tell(f"{at_once(RECORD)}: SHA-256 {record.hash.hex()}")
    table = Table(ask=shown_line if show else hidden_line, tell=_tell)
    shares = [table.share_of(record, place) for place in record.places]
    answer = out or path.with_name("answer.json")
    content = answer_of(challenge, shares)
    write_once(answer, content)
    _tell(f"{at_once(PROVED)} → {answer}")


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
