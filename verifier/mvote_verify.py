"""Checks the bundle of an mvote poll: one file, offline, without any other part of mvote.

    python mvote_verify.py bundle.zip [--pin KEYS] [--previous OLD] [--receipt RECEIPT] …

Needs Python 3.11 and the package `cryptography`; shares of a key need `shamir-mnemonic` as well.
It prints one line for each check and exits 0 if all that was checked holds, 1 otherwise. What the
bundle itself leaves open is NOT PROVEN; the last line says so, and with `--strict` it exits 3.

Proven: nothing in the bundle was changed since it was signed; the log is the one that its signed
checkpoints (and their witnesses) speak of; nothing in it appears twice; the statement of the count
stands in it; the public records give the totals.
Not proven: that every voter was real and eligible; and, without the private key (`--box`), that
the records are what the sealed ballots contain. docs/verifying.md explains each line.

Read from top to bottom: notation, JSON, ballots, tree, signatures, archive, log, checks, program.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import itertools
import json
import math
import re
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

DEFINITION, BALLOT, NOTICE, STATEMENT, CHECKPOINT = 0, 1, 3, 4, 5
ENTRY_BYTES = {DEFINITION: 33, BALLOT: 49, NOTICE: 33, STATEMENT: 33}  # of a poll's log, with kind
KINDS = {"single": 1, "multiple": 2, "ranking": 3, "points": 4}
REQUIRED = {
    "manifest.json", "manifest.sig", "definition.json", "keys.json", "log.bin",
    "checkpoints.json", "checkpoint", "city/checkpoint", "city/proof.json", "statement.json",
}  # fmt: skip
OPTIONAL = re.compile(r"records\.bin|notices/[0-9]{3,6}\.json")
MOST_JSON, MOST_BYTES, CHUNK = 1 << 22, 1 << 32, 1 << 20
MOST_MARK = (1 << 16) - 1  # what a vector holds of an option
MOST_RANKED = 100  # options; a poll has no more
FEWEST_RECORDS = 50  # below, ballots with several marks are published as totals only


class Failed(ValueError):
    """Something does not hold; the message says what, in plain words."""


class NotChecked(ValueError):
    """Something could not be looked at, or nobody asked; the message says why."""


class NotProven(ValueError):
    """It was looked at, and something that matters cannot be seen from the bundle."""


MALFORMED = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError,
    MemoryError, OSError, RuntimeError, struct.error,
)  # fmt: skip
"""All that reading hostile bytes can end in."""


# --- notation -----------------------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def h(label: str, *parts: bytes) -> bytes:
    """SHA-256 over label, a zero byte, and each part behind its length (2 bytes, big-endian)."""
    prefixed = (len(part).to_bytes(2, "big") + part for part in parts)
    return sha256(label.encode() + b"\0" + b"".join(prefixed))


def require(condition: object, reason: str) -> None:
    if not condition:
        raise Failed(reason)


def unhex(text: Any, length: int) -> bytes:
    """The *length* bytes that *text* writes in lower-case hex."""
    require(isinstance(text, str) and re.fullmatch(f"[0-9a-f]{{{2 * length}}}", text), "bad hex")
    return bytes.fromhex(text)


def unbase64(text: Any) -> bytes:
    """What *text* stands for, if it is the one way to write it in base64."""
    found = base64.b64decode(str(text), validate=True)
    require(base64.b64encode(found).decode() == text, "base64 is written badly")
    return found


# --- JSON that may be hostile ---------------------------------------------------------------------


def read_json(data: bytes, what: str) -> dict[str, Any]:
    """The object that *data* writes; no name twice, no NaN, no huge number, no deep nesting."""
    try:
        found = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_no_name_twice,
            parse_int=_short_int,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise Failed(f"{what} is no proper JSON ({str(error)[:80]})") from None
    require(isinstance(found, dict), f"{what} is no JSON object")
    return dict(found)


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    require(len(found) == len(pairs), "a name stands twice")
    return found


def _short_int(digits: str) -> int:
    require(len(digits) <= 20, "a number is too long")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    require(math.isfinite(number), "a number is not finite")
    return number


def number(document: dict[str, Any], name: str) -> int:
    """The member *name*, a whole number from 0 on."""
    found = document.get(name)
    require(type(found) is int and found >= 0, f"{name} is no whole number")
    return int(found)  # type: ignore[arg-type]


# --- ballots: vectors, and counting them ----------------------------------------------------------


def marks_in(question: dict[str, Any], vector: bytes) -> tuple[int, ...]:
    """The marks of a ballot, one for each option: 0 or 1, a rank, or points. Raises Failed."""
    n, kind = len(question["options"]), question["kind"]
    require(len(vector) == 4 + 2 * n, "a ballot has the wrong length")
    require(struct.unpack_from(">BBH", vector) == (1, KINDS.get(kind), n), "a ballot's head is bad")
    marks: tuple[int, ...] = struct.unpack_from(f">{n}H", vector, 4)
    given = [mark for mark in marks if mark]
    least, most = question["min_selections"], question["max_selections"]
    if "limits" not in question:  # of a project ballot these decide: see `keeps`
        require(least <= len(given) <= most, f"a ballot marks {len(given)} of {least} to {most}")
    if kind in ("single", "multiple"):
        require(set(given) <= {1}, "a ballot holds an unknown mark")
    elif kind == "ranking":
        require(sorted(given) == [*range(1, len(given) + 1)], "a ballot's ranks have gaps")
    else:
        together, each = question.get("points"), question.get("max_points")
        require(together is None or sum(given) <= together, "a ballot gives too many points")
        require(
            each is None or max(given, default=0) <= each,
            "a ballot gives an option too many points",
        )
    return marks


Limits = list[tuple[str, int, int | None, list[tuple[int, Any]]]]


def limits_of(question: dict[str, Any]) -> Limits:
    """The limits of a project ballot: what they measure, the least and the most, and what each
    place is worth that the limit looks at."""
    options, found = question["options"], Limits()
    parents = {heading["key"]: heading.get("parent") for heading in question.get("headings", ())}
    for limit in question.get("limits", ()):
        kind, _, key = limit["over"].partition(":")
        scopes = [(kind, key)]
        if limit["over"] == "each:heading":
            scopes = [("exactly", each) for each in sorted({each["heading"] for each in options})]
        for scope in scopes:
            within = [n for n, option in enumerate(options) if _is_over(scope, option, parents)]
            for name in sorted(limit.keys() - {"over"}):
                worths = [(n, _worth(name, options[n])) for n in within]
                bounds = limit[name]
                found.append((name, bounds.get("min", 0), bounds.get("max"), worths))
    return found


def _worth(measure: str, option: dict[str, Any]) -> Any:
    known = {"count": 1, "points": 1, "cost": number(option, "amount"),
             "headings": option["heading"]}  # fmt: skip
    require(measure in known, f"a limit measures {measure}")
    return known[measure]


def _is_over(scope: tuple[str, str], option: dict[str, Any], parents: dict[str, Any]) -> bool:
    kind, key = scope
    above: list[str] = []
    at = option["heading"]
    while at is not None and at not in above:
        above.append(at)
        at = parents.get(at)
    groups = option.get("groups", ())
    holds = {"all": True, "exactly": above[0] == key, "heading": key in above,
             "kind": option.get("kind") == key, "group": key in groups}  # fmt: skip
    return holds[kind]


def keeps(limits: Limits, marks: Sequence[int]) -> bool:
    """Whether a ballot with these marks keeps to all limits."""
    for measure, least, most, worths in limits:
        given = [worth for place, worth in worths if marks[place]]
        if measure == "points":
            given = [marks[place] for place, _ in worths]
        found = len(set(given)) if measure == "headings" else sum(given)
        if found < least or (most is not None and found > most):
            return False
    return True


def vector_of(question: dict[str, Any], selections: Sequence[str]) -> bytes:
    """The ballot that selects these option keys; for points each is `key=points`."""
    keys = [option["key"] for option in question["options"]]
    marks, gives_points = [0] * len(keys), question["kind"] == "points"
    for place, selection in enumerate(selections, 1):
        key, _, points = selection.partition("=") if gives_points else (selection, "", "1")
        require(key in keys and not marks[keys.index(key)], f"{key!r}: no option, or twice")
        require(re.fullmatch("[1-9][0-9]{0,4}", points), f"{selection!r}: give points as key=3")
        marks[keys.index(key)] = place if question["kind"] == "ranking" else int(points)
    vector = struct.pack(f">BBH{len(keys)}H", 1, KINDS[question["kind"]], len(keys), *marks)
    marks_in(question, vector)
    within = keeps(limits_of(question), marks) or question["wrong"] == "spoil"
    require(within, "such a ballot breaks a limit")
    return vector


def recount(
    definition: dict[str, Any], vectors: Iterable[bytes], log_root: bytes = b""
) -> dict[str, Any]:
    """Count ballots from nothing but their vectors. Raises Failed for one that cannot be one.

    `totals`: sum of the marks of each option by its key (ranking: what its ranks are worth, see
    `worths_of`); `winners`: who won by the question's method, in the definition's order, several
    if they are tied, none of a project ballot; `workings`: how, for ranked ballots (*log_root*:
    of the log that the statement speaks of; a lot needs it);
    `records`, `blank`, `valid`: how many ballots, without a mark, with one; `spoilt`: how many
    break a limit, where that is allowed: then no mark of theirs counts;
    `records_hash`: over the vectors in the order given; `sorted`: whether that is ascending.
    Memory grows with different ranked ballots only; it is fastest if equal ones come together.
    """
    question = definition["question"]
    keys = [option["key"] for option in question["options"]]
    totals, blank, spoilt, records = [0] * len(keys), 0, 0, 0
    ascending, before = True, b""
    is_ranked, worths = question["kind"] == "ranking", worths_of(question)
    orders: Counter[bytes] = Counter()
    digest, limits = hashlib.sha256(b"mvote/records/1\0"), limits_of(question)
    for vector, equal in itertools.groupby(vectors):
        marks = marks_in(question, vector)
        ballots, prefixed = 0, len(vector).to_bytes(2, "big") + vector
        for _ in equal:
            digest.update(prefixed)
            ballots += 1
        records += ballots
        ascending, before = ascending and before <= vector, vector
        if not keeps(limits, marks):
            require(question["wrong"] == "spoil", "a ballot breaks a limit")
            spoilt += ballots
            continue
        blank += ballots * (not any(marks))
        if is_ranked and any(marks):
            orders[vector] += ballots
        if is_ranked:
            marks = tuple(worths[mark] for mark in marks)
        totals = [total + ballots * mark for total, mark in zip(totals, marks, strict=True)]
    ranked = [(order_in(marks_in(question, each)), n) for each, n in orders.items()]
    workings = workings_of(question, ranked, log_root)
    by_key = dict(zip(keys, totals, strict=True))
    return {
        "totals": by_key,
        "winners": winners_by(question, by_key, workings),
        "workings": workings,
        "records": records,
        "blank": blank,
        "spoilt": spoilt,
        "valid": records - blank - spoilt,
        "records_hash": digest.hexdigest(),
        "sorted": ascending,
    }


# --- ranked ballots: Borda, Schulze, instant run-off ----------------------------------------------

Ranked = list[tuple[list[int], int]]  # options in order, best first; how many such ballots
Paths = dict[str, dict[str, int]]


def method_of(question: dict[str, Any]) -> str:
    usual = {"single": "plurality", "multiple": "approval", "ranking": "schulze"}
    return str(question.get("method", usual.get(question["kind"], question["kind"])))


def worths_of(question: dict[str, Any]) -> list[int]:
    """What a rank adds to a total, from 0 (not ranked) on: by Borda a point for each option behind;
    of projects as many points as places follow, and one; else 1 for the first."""
    n = len(question["options"])
    if method_of(question) == "borda":
        return [0, *(n - rank for rank in range(1, n + 1))]
    if "limits" in question:
        return [0, *(max(question["max_selections"] + 1 - rank, 0) for rank in range(1, n + 1))]
    return [0] + [int(rank == 1) for rank in range(1, n + 1)]


def given_by_each(question: dict[str, Any]) -> tuple[int, int, int]:
    """What a valid ballot adds to the totals: at least, at most, and to one option at most."""
    options, most = len(question["options"]), min(question["max_selections"], MOST_MARK)
    if question["kind"] == "ranking":
        worths = worths_of(question)
        return worths[1], sum(worths[1 : most + 1]), max(worths)
    if question["kind"] != "points":
        return 1, most, 1
    apiece = question.get("max_points") or MOST_MARK
    together = apiece * (options if "limits" in question else min(most, options))
    bounds = [question.get("points")] + [
        limit["points"].get("max")
        for limit in question.get("limits", ())
        if limit["over"] == "all" and "points" in limit
    ]
    together = min([together, *(bound for bound in bounds if bound is not None)])
    return 1, together, min(apiece, together)


def order_in(marks: Sequence[int]) -> list[int]:
    ranked = [(rank, option) for option, rank in enumerate(marks) if rank]
    return [option for _, option in sorted(ranked)]


def workings_of(
    question: dict[str, Any], ballots: Ranked, log_root: bytes
) -> dict[str, Any] | None:
    """How the question's method comes to its winners, by the options' keys."""
    keys = [option["key"] for option in question["options"]]
    if question["kind"] != "ranking" or "limits" in question:
        return None
    require(len(keys) <= MOST_RANKED, "too many options to be ranked")
    if method_of(question) == "instant_runoff":
        return {"rounds": run_off(keys, ballots, log_root)}
    counts = beaten_by(keys, ballots)
    require(method_of(question) in ("borda", "schulze"), "an unknown method of ranking")
    paths = {"paths": strongest(counts)} if method_of(question) == "schulze" else {}
    return {"pairwise": counts, **paths}


def winners_by(
    question: dict[str, Any], totals: dict[str, int], workings: dict[str, Any] | None
) -> list[str]:
    """Who won, in the definition's order, several if they are tied; of projects nobody does yet."""
    if "limits" in question:
        return []
    if method_of(question) == "schulze":
        require(workings, "the workings are missing")
        paths, pairs = workings["paths"], workings["pairwise"].values()  # type: ignore[index]
        best = [x for x in totals if all(paths[x][y] >= paths[y][x] for y in paths[x])]
        return best if any(max(row.values()) for row in pairs) else []
    found = workings["rounds"][-1]["votes"] if workings and "rounds" in workings else totals
    return [key for key in totals if found.get(key, 0) == max(found.values()) > 0]


def beaten_by(keys: Sequence[str], ballots: Ranked) -> Paths:
    """How many ballots rank the one before the other, or rank the one and not the other."""
    wide = 64  # bits for each count: those of one option are added up as one long number
    sums, everyone = [0] * len(keys), sum(1 << wide * option for option in range(len(keys)))
    for order, equal in ballots:
        behind = everyone
        for option in order:
            behind -= 1 << wide * option
            sums[option] += behind * equal
    return {
        key: {other: sums[x] >> wide * y & (1 << wide) - 1
              for y, other in enumerate(keys) if y != x}
        for x, key in enumerate(keys)
    }  # fmt: skip


def strongest(counts: Paths) -> Paths:
    """How strong the strongest path is: as its weakest step, a majority of so many ballots."""
    paths = {
        x: {y: n if n > counts[y][x] else 0 for y, n in row.items()} for x, row in counts.items()
    }
    for via in paths:
        for x in paths.keys() - {via}:
            for y in paths.keys() - {via, x}:
                paths[x][y] = max(paths[x][y], min(paths[x][via], paths[via][y]))
    return paths


def run_off(keys: Sequence[str], ballots: Ranked, log_root: bytes) -> list[dict[str, Any]]:
    """The rounds of an instant run-off. Of those tied for the last place leave: all, if they have
    fewer ballots together than the next; else who had fewest in the latest earlier round that
    tells them apart; else the last by lot, SHA-256("mvote/lot/1" and the log's root and the key).
    """
    lots = {key: sha256(b"mvote/lot/1" + log_root + key.encode()) for key in keys}
    left, rounds, exhausted = list(keys), list[dict[str, Any]](), 0
    piles: dict[str, Ranked] = {key: [] for key in keys}
    for order, equal in ballots:
        piles[keys[order[0]]].append((order, equal))
    while True:
        votes = {key: sum(equal for _, equal in piles[key]) for key in left}
        now: dict[str, Any] = {"votes": votes, "exhausted": exhausted, "eliminated": [],
                               "by": None, "transfers": {}}  # fmt: skip
        rounds.append(now)
        is_won = 2 * max(votes.values()) > sum(votes.values())
        if is_won or len(set(votes.values())) == 1:
            return rounds
        now["eliminated"], now["by"] = _leaving(votes, rounds[:-1], lots)
        left = [key for key in left if key not in now["eliminated"]]
        for key in now["eliminated"]:
            went = now["transfers"][key] = Counter[str]()
            for order, equal in piles.pop(key):
                to = next((keys[option] for option in order if keys[option] in left), None)
                if to is None:
                    exhausted += equal
                    continue
                piles[to].append((order, equal))
                went[to] += equal


def follow_rounds(
    rounds: list[dict[str, Any]], totals: dict[str, int], valid: int, lots: dict[str, bytes]
) -> None:
    """See that each round follows from the one before it, and that the last one decides.

    *totals* stand in the definition's order, which is that of those who leave together.
    """
    require(rounds[0]["votes"] == totals, "the first round does not hold the totals")
    require(rounds[0]["exhausted"] == 0, "ballots are exhausted before anybody left")
    for n, now in enumerate(rounds):
        votes, leaving = now["votes"], now["eliminated"]
        require(sum(votes.values()) + now["exhausted"] == valid, f"round {n} loses ballots")
        is_over = 2 * max(votes.values()) > sum(votes.values()) or len(set(votes.values())) == 1
        require(is_over == (n == len(rounds) - 1), f"round {n} is not where it ends")
        if is_over:
            require(not leaving and not now["transfers"], "somebody leaves after the end")
            return
        ordered = {key: votes[key] for key in totals if key in votes}
        expected = _leaving(ordered, rounds[:n], lots)
        require((leaving, now["by"]) == expected, f"in round {n} others must leave")
        _see_transfers(votes, leaving, now["transfers"])
        passed = sum((Counter(to) for to in now["transfers"].values()), Counter[str]())
        onward = {key: votes[key] + passed[key] for key in votes if key not in leaving}
        require(rounds[n + 1]["votes"] == onward, f"round {n + 1} does not follow")


def _see_transfers(
    votes: dict[str, int], leaving: Sequence[str], transfers: dict[str, dict[str, int]]
) -> None:
    """Who leaves hands on at most the ballots that it has, and only to those that stay."""
    require(transfers.keys() == set(leaving), "others hand on ballots than those who leave")
    for key, to in transfers.items():
        require(to.keys() <= votes.keys() - set(leaving), f"{key} hands on to none that stays")
        given = sum(number(to, other) for other in to)
        require(given <= votes[key], f"{key} hands on more ballots than it has")


def _leaving(
    votes: dict[str, int], before: Sequence[dict[str, Any]], lots: dict[str, bytes]
) -> tuple[list[str], str]:
    fewest = min(votes.values())
    last = [key for key in votes if votes[key] == fewest]
    if len(last) == 1:
        return last, "fewest"
    if fewest * len(last) < min(count for count in votes.values() if count != fewest):
        return last, "together"
    for earlier in reversed(before):
        fewest = min(earlier["votes"][key] for key in last)
        last = [key for key in last if earlier["votes"][key] == fewest]
        if len(last) == 1:
            return last, "earlier_round"
    return [max(last, key=lambda key: (lots[key], key))], "lot"


# --- the tree of a log (RFC 6962) -----------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right)


class Tree:
    """The roots of a growing list; keeps one hash for each complete subtree, so very few."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, entry: bytes) -> None:
        top, size = sha256(b"\0" + entry), self.size
        while size & 1:  # two subtrees of one size become one of twice that size
            top, size = node(self._peaks.pop(), top), size >> 1
        self._peaks.append(top)
        self.size += 1

    def root(self) -> bytes:
        if not self._peaks:
            return sha256(b"")
        *lefts, root = self._peaks
        for left in reversed(lefts):
            root = node(left, root)
        return root


def root_by_proof(entry: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    require(index < size, "the proof is of a place behind the end")
    found, last = sha256(b"\0" + entry), size - 1
    for step in proof:
        require(last, "the proof is too long")
        if index & 1 or index == last:
            found = node(step, found)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = node(found, step)
        index, last = index >> 1, last >> 1
    require(last == 0, "the proof is too short")
    return found


# --- signatures: C2SP signed notes, checkpoints, cosignatures -------------------------------------


@dataclass(frozen=True)
class Key:
    """A public key with the name it signs under. Type 1: Ed25519; 4: a witness's cosignature."""

    name: str
    type: int
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public)[:4]

    def signed(self, message: bytes, signature: bytes) -> bool:
        if self.type == 4:  # cosignature/v1: the time stands before the signature
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = f"cosignature/v1\ntime {time}\n".encode() + message
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def read_key(text: Any) -> Key:
    """A key as C2SP writes it: name+hash+base64(type, key)."""
    name, _, rest = str(text).partition("+")
    hashed, _, encoded = rest.partition("+")
    raw = unbase64(encoded)
    require(name and len(raw) == 33 and raw[0] in (1, 4), "a key is written badly")
    key = Key(name, raw[0], raw[1:])
    require(key.id == unhex(hashed, 4), f"the key of {printable(name)} has the wrong hash")
    return key


def signers(message: bytes, lines: str, keys: Iterable[Key]) -> list[Key]:
    """Which of *keys* signed *message*; a wrong signature under one of them is a failure."""
    known = {(key.name, key.id): key for key in keys}
    found = []
    for line in lines.removesuffix("\n").split("\n"):
        dash, name, encoded = (*line.split(" "), "", "")[:3]
        require(dash == "—" and name and line.count(" ") == 2, "a signature line is written badly")
        raw = unbase64(encoded)
        key = known.get((name, raw[:4]))
        if key:
            require(key.signed(message, raw[4:]), f"the signature of {printable(name)} is wrong")
            found.append(key)
    return found


@dataclass(frozen=True)
class Note:
    """A signed checkpoint: a log's origin, size and root; the lines under it sign them."""

    origin: str
    size: int
    root: bytes
    body: bytes
    signatures: str

    @classmethod
    def read(cls, data: bytes) -> Note:
        require(len(data) < MOST_JSON, "a checkpoint is too long")
        body, _, signatures = data.decode("utf-8").rpartition("\n\n")
        lines = body.split("\n")
        require(len(lines) >= 3 and re.fullmatch("0|[1-9][0-9]{0,17}", lines[1]), "no checkpoint")
        root = unbase64(lines[2])
        require(len(root) == 32, "a checkpoint's root is no hash")
        return cls(lines[0], int(lines[1]), root, body.encode() + b"\n", signatures)

    def signed_by(self, keys: Iterable[Key], *, name: str | None = None) -> list[Key]:
        wanted = [key for key in keys if name in (None, key.name)]
        return signers(self.body, self.signatures, wanted)


# --- the archive ----------------------------------------------------------------------------------


class Bundle:
    """A ZIP archive of plain files in exactly one form: nothing packed, nothing between or beside.

    So no byte of it escapes the manifest, and nothing can grow when it is read.
    """

    def __init__(self, path: Path) -> None:
        self._path, length = path, path.stat().st_size
        require(22 <= length < MOST_BYTES, "this is no bundle: too short or too long")
        files, start, directory = self._end(length)
        self._places: dict[str, tuple[int, int, int]] = {}  # where, how long, CRC-32
        at = 0
        for name, crc, size in self._directory(start, directory):
            require(name not in self._places, f"{name} stands in it twice")
            header = local_header(name, crc, size)
            require(self._at(at, len(header)) == header, f"{name} does not begin as it must")
            self._places[name] = (at + len(header), size, crc)
            at += len(header) + size
        whole = (at, len(self._places)) == (start, files)
        require(whole, "there are bytes between its files, or fewer files than it says")

    def _end(self, length: int) -> tuple[int, int, int]:
        files, directory, start = struct.unpack("<10xH2L2x", self._at(length - 22, 22))
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, files, files, directory, start, 0)
        require(self._at(length - 22, 22) == end, "this is no bundle: no plain ZIP archive")
        require(start + directory + 22 == length, "there are bytes outside its files")
        require(directory <= MOST_JSON, "its list of files is too long")
        return files, start, directory

    def _directory(self, start: int, length: int) -> Iterator[tuple[str, int, int]]:
        listed, at = self._at(start, length), 0
        while listed:
            crc, size, name_length = struct.unpack_from("<16xL4xLH", listed)
            name = printable(listed[46 : 46 + name_length].decode("ascii"))
            entry = directory_entry(name, crc, size, at)
            require(listed.startswith(entry), f"{name} is not stored plainly")
            yield name, crc, size
            listed, at = listed[len(entry) :], at + len(local_header(name, crc, size)) + size

    def _at(self, place: int, length: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(place)
            return file.read(length)

    @property
    def names(self) -> set[str]:
        return set(self._places)

    def size(self, name: str) -> int:
        require(name in self._places, f"{name} is missing")
        return self._places[name][1]

    def chunks(self, name: str) -> Iterator[bytes]:
        self.size(name)
        at, left, _ = self._places[name]
        for start in range(at, at + left, CHUNK):
            yield self._at(start, min(CHUNK, at + left - start))

    def read(self, name: str, most: int = MOST_JSON) -> bytes:
        require(self.size(name) <= most, f"{name} is too large")
        return b"".join(self.chunks(name))

    def json(self, name: str) -> dict[str, Any]:
        return read_json(self.read(name), name)

    def hash(self, name: str) -> bytes:
        digest, crc = hashlib.sha256(), 0
        for chunk in self.chunks(name):
            digest.update(chunk)
            crc = zlib.crc32(chunk, crc)
        require(crc == self._places[name][2], f"{name} was damaged on the way")
        return digest.digest()


def local_header(name: str, crc: int, size: int) -> bytes:
    """What stands before a file in the archive; its date is always 1 January 1980."""
    fields = (b"PK\3\4", 20, 0, 0, 0, 33, crc, size, size, len(name), 0)
    return struct.pack("<4s5H3L2H", *fields) + name.encode()


def directory_entry(name: str, crc: int, size: int, at: int) -> bytes:
    """What stands of a file in the archive's directory."""
    fields = (b"PK\1\2", 3 << 8 | 20, 20, 0, 0, 0, 33, crc, size, size, len(name), 0, 0, 0, 0)
    return struct.pack("<4s6H3L5H2L", *fields, 0o600 << 16, at) + name.encode()


def printable(text: object) -> str:
    """*text* without what could play tricks on a terminal."""
    return "".join(c if c.isprintable() else "?" for c in str(text)[:300])


# --- the log --------------------------------------------------------------------------------------

BOUNDARY = re.compile(rb'\{"root":"([0-9a-f]{64})","size":([1-9][0-9]{0,17})\}(,|\]\n?\Z)')


def entries_in(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The entries of a log, back to back: the kind, the first byte, tells each one's length."""
    data = b""
    for chunk in chunks:
        data, at = data + chunk, 0
        while at < len(data):
            length = ENTRY_BYTES.get(data[at], 0)
            if at + length > len(data):
                break
            require(length, f"an entry is of the unknown kind {data[at]}")
            yield data[at : at + length]
            at += length
        data = data[at:]
    require(not data, "the log ends within an entry")


def boundaries_in(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Size and root after each batch, from checkpoints.json, one by one."""
    require(data[:1] == b"[", "checkpoints.json is written badly")
    at = 1
    while at < len(data):
        found = BOUNDARY.match(data, at)
        if found is None:
            raise Failed("checkpoints.json is written badly")
        yield int(found[2]), bytes.fromhex(found[1].decode())
        at = found.end()


@dataclass
class Log:
    """What one reading of the log found. A fault is the first of its kind."""

    size: int = 0
    ballots: int = 0
    batches: int = 0
    definitions: dict[int, bytes] = field(default_factory=dict)
    statements: dict[int, bytes] = field(default_factory=dict)
    notices: list[bytes] = field(default_factory=list)
    roots: dict[int, bytes] = field(default_factory=dict)  # at the sizes that were asked for
    ballots_at: dict[int, int] = field(default_factory=dict)  # the same, and before the statement
    found: dict[bytes, bytes] = field(default_factory=dict)  # commitments of the trackers asked for
    unsorted: str = ""
    wrong_root: str = ""
    repeated: int = 0


def read_log(
    entries: Iterable[bytes],
    boundaries: Iterator[tuple[int, bytes]],
    sizes: set[int | None],
    trackers: set[bytes | None],
) -> Log:
    """Read the log once: count, hash, compare each batch's end, look for what was asked for."""
    log, tree, seen = Log(), Tree(), [bytearray() for _ in range(256)]
    before, after, (end, root) = b"", 0, next(boundaries, (0, b""))
    for entry in entries:
        tree.add(entry)
        if entry[0] == BALLOT:
            tracker = entry[1:17]
            if tracker <= before and not log.unsorted:
                log.unsorted = f"entry {tree.size - 1} does not come after the one before it"
            before = tracker
            seen[tracker[0]] += tracker
            log.ballots += 1
            if tracker in trackers:
                log.found[tracker] = entry[17:]
        else:
            _keep(log, tree.size - 1, entry)
        if tree.size in sizes:
            log.roots[tree.size], log.ballots_at[tree.size] = tree.root(), log.ballots
        if tree.size == end:
            if tree.root() != root and not log.wrong_root:
                log.wrong_root = f"the root at size {end} is not the recorded one"
            log.batches, before, after = log.batches + 1, b"", end
            end, root = next(boundaries, (0, b""))
            require(end == 0 or end > after, "checkpoints.json does not ascend")
    log.size, log.roots[tree.size], log.ballots_at[tree.size] = tree.size, tree.root(), log.ballots
    if end or after != tree.size:
        log.wrong_root = log.wrong_root or "the last batch does not end where the log ends"
    log.repeated = sum(_repeated(bucket) for bucket in seen)
    return log


def _keep(log: Log, index: int, entry: bytes) -> None:
    if entry[0] == STATEMENT and not log.statements:
        log.ballots_at[index] = log.ballots
    if entry[0] == NOTICE:
        log.notices.append(entry[1:])
    else:
        (log.definitions if entry[0] == DEFINITION else log.statements)[index] = entry[1:]


def _repeated(bucket: bytearray) -> int:
    """How many of these trackers stood before; a 256th of them at a time, to spare memory."""
    places = range(0, len(bucket), 16)
    return len(places) - len({bytes(bucket[at : at + 16]) for at in places})


# --- the checks -----------------------------------------------------------------------------------


def once(read: Callable[[Any], Any]) -> property:
    """A part of what is checked, read when first needed; what failed fails again the same way."""

    def get(self: Any) -> Any:
        if read not in self.parts:
            try:
                self.parts[read] = read(self)
            except MALFORMED as error:
                self.parts[read] = error
        if isinstance(self.parts[read], Exception):
            raise self.parts[read]
        return self.parts[read]

    return property(get)


class Line(NamedTuple):
    """One line of the answer."""

    name: str
    status: str  # ok, FAILED, NOT PROVEN, not checked
    text: str


class Verifier:
    """One bundle and all that can be said of it. Each check returns a sentence or raises."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.parts: dict[Any, Any] = {}
        self.told: list[Exception] = []

    def run(self) -> list[Line]:
        checks = {
            "archive": self.archive, "contents": self.contents, "signature": self.signature,
            "keys": self.known_keys, "log": self.entries, "definition": self.frozen,
            "trackers": self.distinct, "batches": self.batches, "checkpoints": self.roots,
            "final checkpoint": self.final, "city log": self.city, "witnesses": self.witnesses,
            "notices": self.notices, "statement": self.attested, "accounting": self.accounting,
            "records": self.records, "totals": self.totals, "earlier download": self.extends,
            "receipt": self.receipt, "sealed ballots": self.sealed,
        }  # fmt: skip
        return [Line(name, *self._outcome(check)) for name, check in checks.items()]

    def _outcome(self, check: Callable[[], str]) -> tuple[str, str]:
        try:
            return "ok", printable(check())
        except NotChecked as reason:
            return "not checked", printable(reason)
        except NotProven as reason:
            return "NOT PROVEN", printable(reason)
        except MALFORMED as error:
            if any(error is told for told in self.told):
                return "not checked", "needs what failed above"
            self.told.append(error)
            kind = "" if isinstance(error, Failed) else f"cannot be read: {type(error).__name__} "
            return "FAILED", printable(f"{kind}{error}")

    def _if_readable(self, read: Callable[[], Any]) -> Any:
        """What *read* gives; None if it fails, which a check of its own will tell."""
        try:
            return read()
        except MALFORMED:
            return None

    # what the checks share

    @once
    def bundle(self) -> Bundle:
        return Bundle(self.options.bundle)

    @once
    def manifest(self) -> dict[str, Any]:
        return dict(self.bundle.json("manifest.json"))

    @once
    def definition(self) -> dict[str, Any]:
        found = self.bundle.json("definition.json")
        question = found["question"]
        known = question["kind"] in KINDS and 1 <= len(question["options"]) < 1 << 16
        require(known, "it asks nothing that this program knows")
        limits = number(question, "min_selections") <= number(question, "max_selections")
        require(limits, "no ballot can meet the question's limits")
        host, _, poll_id = found["origin"].partition("/mvote/poll/")
        require(host and poll_id == found["poll_id"], "its origin names another poll")
        unhex(poll_id.replace("-", ""), 16)
        return dict(found)

    @once
    def poll_id(self) -> bytes:
        return bytes.fromhex(self.definition["poll_id"].replace("-", ""))

    @once
    def city_name(self) -> str:
        return str(self.definition["origin"]).partition("/mvote/poll/")[0] + "/mvote/city"

    @once
    def keys(self) -> dict[str, Any]:
        found = self.bundle.json("keys.json")
        for key_id, key in found["receipt_keys"].items():
            hashed = sha256(unbase64(key)).hex()[:16]
            require(key_id == hashed, "a receipt key does not have the name it is given")
        return dict(found)

    @once
    def pinned(self) -> list[Key]:
        return list(self.options.pin)

    @once
    def log_keys(self) -> list[Key]:
        """Those of the bundle; if some are pinned, those of them that are."""
        trusted = {key.public for key in self.pinned if key.type == 1}
        given = [read_key(text) for text in self.keys["log_keys"]]
        return [key for key in given if key.type == 1 and (not trusted or key.public in trusted)]

    @once
    def statement(self) -> dict[str, Any]:
        return dict(self.bundle.json("statement.json"))

    @once
    def final_checkpoint(self) -> Note:
        return Note.read(self.bundle.read("checkpoint"))

    @once
    def city_checkpoint(self) -> Note:
        return Note.read(self.bundle.read("city/checkpoint"))

    @once
    def earlier(self) -> Note:
        path = self.options.previous
        if path is None:
            raise NotChecked("no earlier download given (--previous)")
        with path.open("rb") as file:
            data = file.read(MOST_JSON)
        return Note.read(Bundle(path).read("checkpoint") if data[:2] == b"PK" else data)

    @once
    def voters_receipt(self) -> dict[str, Any]:
        if self.options.receipt is None:
            raise NotChecked("no receipt given (--receipt)")
        with self.options.receipt.open("rb") as file:
            return read_json(file.read(MOST_JSON), "the receipt")

    @once
    def log(self) -> Log:
        sizes = {
            self._if_readable(lambda: number(self.statement, "log_size")),
            self._if_readable(lambda: self.earlier.size),
        }
        tracker = self._if_readable(lambda: unhex(self.voters_receipt.get("tracker"), 16))
        boundaries = boundaries_in(self.bundle.read("checkpoints.json", 1 << 26))
        return read_log(entries_in(self.bundle.chunks("log.bin")), boundaries, sizes, {tracker})

    # the bundle itself

    def archive(self) -> str:
        names = self.bundle.names
        require(names >= REQUIRED, f"missing: {', '.join(sorted(REQUIRED - names))}")
        strange = [name for name in names - REQUIRED if not OPTIONAL.fullmatch(name)]
        require(not strange, f"it holds what no bundle holds: {', '.join(sorted(strange)[:3])}")
        return f"{len(names)} files, nothing beside them"

    def contents(self) -> str:
        require(self.manifest.get("format") == "mvote-bundle/1", "an unknown format")
        files = self.manifest["files"]
        missing = self.bundle.names ^ {*files, "manifest.json", "manifest.sig"}
        require(not missing, f"manifest and archive differ in {', '.join(sorted(missing)[:3])}")
        for name, said in files.items():
            require(self.bundle.size(name) == said["bytes"], f"{name} has another length")
            require(self.bundle.hash(name).hex() == said["sha256"], f"{name} was changed")
        return f"all {len(files)} files are as the manifest says"

    def signature(self) -> str:
        message = b"mvote-bundle/1\n" + self.bundle.read("manifest.json")
        lines = self.bundle.read("manifest.sig").decode()
        origin = self.manifest["origin"]
        by = signers(message, lines, [key for key in self.log_keys if key.name == origin])
        require(by, "the manifest is not signed by a key of this log")
        return f"signed by {origin}, key {by[0].public.hex()[:16]}…"

    def known_keys(self) -> str:
        if not self.pinned:
            raise NotChecked("the keys are the bundle's own: compare them with those the city"
                             " has published elsewhere (--pin)")  # fmt: skip
        if all(key.type != 1 for key in self.pinned):
            raise NotChecked("none of the pinned keys is a log's")
        require(self.log_keys, "the log's keys are not the pinned ones")
        return "the log's keys are among the pinned ones"

    # definition and log

    def frozen(self) -> str:
        hashed = self.bundle.hash("definition.json")
        require(self.log.definitions == {0: hashed}, "not what the log begins with")
        for name in ("poll_id", "origin"):
            require(self.manifest.get(name) == self.definition[name], f"another {name}")
        return f"{hashed.hex()[:16]}…, as it was frozen and stands first in the log"

    def entries(self) -> str:
        log = self.log
        require(list(log.definitions) == [0], "it does not begin with one definition")
        require(len(log.statements) == 1, "it does not hold exactly one statement of the count")
        return f"entries: {log.size}; ballots among them: {log.ballots}"

    def distinct(self) -> str:
        require(not self.log.repeated, f"trackers that stand more than once: {self.log.repeated}")
        return f"no two alike among {self.log.ballots}"

    def batches(self) -> str:
        require(not self.log.unsorted, self.log.unsorted)
        return f"{self.log.batches}, each sorted by tracker, so that order tells nothing"

    def roots(self) -> str:
        require(not self.log.wrong_root, self.log.wrong_root)
        return f"roots computed anew from the entries: {self.log.batches}"

    def final(self) -> str:
        note, log = self.final_checkpoint, self.log
        require(note.origin == self.definition["origin"], "it is of another log")
        require(note.signed_by(self.log_keys, name=note.origin), "no key of this log signed it")
        require((note.size, note.root) == (log.size, log.roots[log.size]), "not this log's end")
        return f"size {note.size}, root {note.root.hex()[:16]}…, signed"

    # city log and witnesses

    def city(self) -> str:
        note, proof = self.city_checkpoint, self.bundle.json("city/proof.json")
        require(note.origin == self.city_name, "it is of another city")
        require(note.signed_by(self.log_keys, name=note.origin), "no key of the city signed it")
        mine = self.final_checkpoint
        name = self.poll_id
        if self.definition.get("room"):  # the city's log says of no private poll which it is
            name = h("mvote/room/city/1", name)[:16]
        entry = bytes([CHECKPOINT]) + name + mine.size.to_bytes(8, "big") + mine.root
        require(proof.get("entry") == entry.hex(), "it holds another checkpoint of this poll")
        require(number(proof, "size") == note.size, "the proof is for another size")
        steps = [unhex(step, 32) for step in proof["proof"]]
        root = root_by_proof(entry, number(proof, "index"), note.size, steps)
        require(root == note.root, "the checkpoint is not in it")
        return f"holds this poll's checkpoint at place {proof['index']} of {note.size}"

    def witnesses(self) -> str:
        trusted = [key for key in self.pinned if key.type == 4]
        given = trusted or [read_key(text) for text in self.keys["witnesses"]]
        citys = {key.public for key in self.log_keys}
        others = [key for key in given if key.type == 4 and key.public not in citys]
        names = sorted({key.name for key in self.city_checkpoint.signed_by(others)})
        if not names:
            raise NotChecked("not witnessed: nobody but the city vouches that this is its only log")
        whose = "pinned" if trusted else "named by the bundle itself"
        return f"cosigned by {', '.join(names)} ({whose})"

    def notices(self) -> str:
        files = sorted(name for name in self.bundle.names if name.startswith("notices/"))
        found = [self.bundle.hash(name) for name in files]
        require(found == self.log.notices, "the notices are not those of the log")
        kinds = [str(self.bundle.json(name).get("kind")) for name in files]
        draws = [name for name, kind in zip(files, kinds, strict=True) if kind == "draw"]
        require(len(draws) <= 1, "THE LOT WAS DRAWN MORE THAN ONCE")
        kinds += [self._drawn(self.bundle.json(name)) for name in draws]
        return f"{len(files)}, as in the log" + (f": {', '.join(kinds)}" if kinds else "")

    def _drawn(self, notice: dict[str, Any]) -> str:
        """See that a lot between tied winners is the one that was bound before anybody voted."""
        secret, value = unhex(notice.get("secret"), 32), str(notice.get("public_value"))
        require(sha256(secret).hex() == self.definition.get("lot"), "ANOTHER LOT WAS DRAWN")
        require(value == self.bundle.hash("statement.json").hex(), "the lot was drawn too early")
        seed = sha256(b"mvote/seed/1" + secret + value.encode())
        tied = [str(key) for key in self.statement["winners"]]
        order = sorted(tied, key=lambda key: (sha256(b"mvote/lot/1" + seed + key.encode()), key))
        drawn = (notice.get("tied"), notice.get("order"), notice.get("winner"))
        require(drawn == (tied, order, order[0]), "the lot gives another order")
        return f"{order[0]} was drawn by lot among {len(tied)} tied winners"

    # count

    def attested(self) -> str:
        statement, hashed = self.statement, self.bundle.hash("statement.json")
        require([*self.log.statements.values()] == [hashed], "not the one that stands in the log")
        require(statement.get("poll_id") == self.definition["poll_id"], "it is of another poll")
        frozen = self.bundle.hash("definition.json").hex()
        require(statement.get("definition_hash") == frozen, "it is of another definition")
        method = method_of(self.definition["question"])
        require(statement.get("method", method) == method, "it counts by another method")
        if not {"log_size", "log_root"} & statement.keys():
            self._see_that_it_may_be_silent()
            raise NotProven("that it speaks of this log: it names no state of it, as before logs"
                            " had checkpoints. Nothing here proves that it is so old")  # fmt: skip
        size = number(statement, "log_size")
        require(
            size in self.log.roots and size <= min(self.log.statements),
            "it speaks of a log that never was",
        )
        require(statement.get("log_root") == self.log.roots[size].hex(), "it is of another log")
        require(self.log.ballots_at[size] == self.log.ballots, "ballots came after it")
        return f"speaks of this log at size {size}, and stands in it"

    def _see_that_it_may_be_silent(self) -> None:
        """Polls opened since definitions hold `cautions` were all counted by what names the log."""
        require("cautions" not in self.definition, "it must name the log that it speaks of")
        before = self.log.ballots_at[min(self.log.statements)]
        require(before == self.log.ballots, "ballots came after it")

    def accounting(self) -> str:
        names = ("participations", "entries", "records", "quarantined", "unopenable")
        figures = {name: number(self.statement, name) for name in names}
        said = ", ".join(f"{name} {figure}" for name, figure in figures.items())
        logged, (voted, entries, records, *lost) = self.log.ballots, figures.values()
        adds_up = voted == entries == records == logged and not any(lost)
        require(adds_up, f"IT DOES NOT ADD UP: {said}; ballots in the log {logged}")
        roll = self.definition.get("roll")
        require(roll is None or voted <= number(roll, "size"), "MORE VOTED THAN ARE ON THE ROLL")
        return said

    @once
    def counted(self) -> dict[str, Any]:
        if "records.bin" not in self.bundle.names:
            raise NotChecked(self._why_without_records())
        size = 4 + 2 * len(self.definition["question"]["options"])
        require(self.bundle.size("records.bin") % size == 0, "it ends within a record")
        vectors = pieces(self.bundle.chunks("records.bin"), size)
        return recount(self.definition, vectors, self._stated_root())

    def _stated_root(self) -> bytes:
        root = self.statement.get("log_root")
        return b"" if root is None else unhex(root, 32)

    def _why_without_records(self) -> str:
        records, question = number(self.statement, "records"), self.definition["question"]
        is_telling = question["max_selections"] > 1 or question["kind"] == "points"
        least = FEWEST_RECORDS if is_telling else 0
        least = max(number(self.definition, "publish_from"), least)
        if records < least:
            return f"not public: of ballots came {records}, fewer than {least}"
        require(self.definition["records"] != "full", "the definition promises them")
        return "not public: the definition promises totals only"

    def records(self) -> str:
        counted = self.counted
        require(counted["sorted"], "they are not sorted, so their order could tell something")
        require(counted["records"] == number(self.statement, "records"), "not as many as stated")
        require(counted["records_hash"] == self.statement.get("records_hash"), "not those counted")
        return f"{counted['records']}, each a ballot that the question allows, sorted"

    def totals(self) -> str:
        if self.statement.get("too_few"):
            few = number(self.statement, "records") < number(self.definition, "publish_from")
            require(few and "totals" not in self.statement, "they are withheld without cause")
            raise NotChecked("withheld: too few ballots came")
        if "records.bin" not in self.bundle.names:
            return self._plausible_totals()
        self._compare(self.counted)
        winners = self._said_winners(self.counted["winners"])
        return f"counted anew: {said_totals(self.counted['totals'])}{winners}"

    def _said_winners(self, winners: Sequence[str]) -> str:
        if "limits" in self.definition["question"]:
            return ""  # the allocation decides, not the vote alone
        tied = " (A TIE)" if len(winners) > 1 else ""
        return f"; {method_of(self.definition['question'])}: {', '.join(winners) or 'none'}{tied}"

    def _compare(self, counted: dict[str, Any]) -> None:
        names = ["blank", "valid", "spoilt", "totals"]
        names += [name for name in ("winners", "workings") if name in self.statement]
        for name in names:
            said = self.statement.get(name)
            require(said == counted[name], f"{name}: {counted[name]} counted, {said} stated")

    def _plausible_totals(self) -> str:
        """Without records: only that the totals can be those of so many ballots."""
        totals = self.statement["totals"]
        keys = {option["key"] for option in self.definition["question"]["options"]}
        require(set(totals) == keys, "the totals are of other options")
        valid, blank = number(self.statement, "valid"), number(self.statement, "blank")
        spoilt = number(self.statement, "spoilt")
        adds_up = valid + blank + spoilt == number(self.statement, "records")
        require(adds_up, "valid, blank and spoilt ballots do not add up")
        each = [number(totals, key) for key in totals]
        fewest, together, apiece = given_by_each(self.definition["question"])
        is_possible = fewest * valid <= sum(each) <= valid * together
        require(is_possible and max(each) <= valid * apiece, "no ballots give these totals")
        said = self._follow_the_workings(totals, valid) if self._names_winners() else ""
        raise NotChecked(f"as the counters attest: {said_totals(totals)}{said};"
                         " no records to count")  # fmt: skip

    def _names_winners(self) -> bool:
        """Of one or several votes old statements name none; rankings and points always had them."""
        question, is_there = self.definition["question"], "winners" in self.statement
        is_decided = question["kind"] in ("ranking", "points") and "limits" not in question
        require(is_there or not is_decided, "it does not say who won")
        return is_there

    def _follow_the_workings(self, totals: dict[str, int], valid: int) -> str:
        """See that the published workings belong to the totals, and lead to the winners."""
        question, workings = self.definition["question"], self.statement.get("workings")
        method, winners = method_of(question), self.statement["winners"]
        totals = {option["key"]: totals[option["key"]] for option in question["options"]}
        if method == "instant_runoff":
            lots = {key: sha256(b"mvote/lot/1" + self._stated_root() + key.encode())
                    for key in totals}  # fmt: skip
            follow_rounds(workings["rounds"], totals, valid, lots)
        elif method in ("borda", "schulze"):
            counts = workings["pairwise"]
            require(len(totals) <= MOST_RANKED, "too many options to be ranked")
            is_whole = counts.keys() == totals.keys() and all(
                counts[x].keys() == totals.keys() - {x} for x in totals
            )
            require(is_whole, "the pairwise counts are of other options")
            pairs = [number(counts[x], y) + number(counts[y], x)
                     for x, y in itertools.permutations(totals, 2)]  # fmt: skip
            require(max(pairs, default=0) <= valid, "more compare two options than voted")
            if method == "borda":
                sums = {key: sum(counts[key].values()) for key in totals}
                require(sums == totals, "the totals are not the sums of the pairwise counts")
            else:
                ahead = all(totals[x] <= n for x in totals for n in counts[x].values())
                require(ahead, "more rank an option first than before another one")
                require(strongest(counts) == workings["paths"], "the paths are other ones")
        found = winners_by(question, totals, workings)
        require(found == winners, f"winners: {found} by the workings, {winners} stated")
        return self._said_winners(winners)

    # what only some can check

    def extends(self) -> str:
        earlier, now = self.earlier, self.log
        require(earlier.origin == self.definition["origin"], "it is of another poll")
        by = earlier.signed_by(self.log_keys, name=earlier.origin)
        require(by, "no key of this log signed it, or none of the pinned ones")
        require(
            earlier.size <= now.size, "it is longer: given in the wrong order, or THE LOG WAS CUT"
        )
        same = now.roots[earlier.size] == earlier.root
        require(
            same, f"THE LOG WAS REWRITTEN below its earlier size {earlier.size}; both are signed"
        )
        return f"this log extends it, from size {earlier.size}"

    def receipt(self) -> str:
        receipt = self.voters_receipt
        tracker, c = unhex(receipt.get("tracker"), 16), unhex(receipt.get("envelope_hash"), 32)
        self._see_its_signature(receipt)
        found = self.log.found.get(tracker)
        require(found is not None, "IT PROVES A BALLOT THAT IS MISSING: signed, but not in the log")
        require(found == c, "IT PROVES A BALLOT THAT WAS CHANGED: in the log with another content")
        if self.options.selections is None:
            return "genuine, and its ballot is in the log"
        selections = [key for key in self.options.selections.split(",") if key]
        vector = vector_of(self.definition["question"], selections)
        salt = unhex(receipt.get("ballot_salt"), 32)
        require(commitment(self.poll_id, tracker, salt, vector) == c, "sealed was something else")
        return "genuine; its ballot is in the log, and what was sealed is what was chosen"

    def _see_its_signature(self, receipt: dict[str, Any]) -> None:
        definition_hash = self.bundle.hash("definition.json").hex()
        require(receipt.get("definition_hash") == definition_hash, "it is of another definition")
        key_id = self.definition["receipt_key_id"]
        require(receipt.get("key_id") == key_id, "it names another key than the definition")
        public = unbase64(self.keys["receipt_keys"][key_id])
        lines = ("mvote-receipt/1", self.definition["origin"], definition_hash,
                 receipt["tracker"], receipt["envelope_hash"])  # fmt: skip
        signature = unbase64(receipt["signature"])
        signed = Key("", 1, public).signed("".join(f"{x}\n" for x in lines).encode(), signature)
        require(signed, "its signature is wrong: it is not genuine")

    def sealed(self) -> str:
        if self.options.box is None:
            raise NotChecked("that the records are the sealed ballots is what the counters attest;"
                             " observers check it with --box and the private key")  # fmt: skip
        private = private_key(self.options)
        public = private.public_key().public_bytes_raw().hex()
        require(public == self.definition["sealing_key"], "this key is of another poll")
        vectors = self._opened(private)
        equal = (vector for vector in sorted(vectors) for _ in range(vectors[vector]))
        counted = recount(self.definition, equal, self._stated_root())
        unopenable = self.log.ballots - counted["records"]
        said = number(self.statement, "unopenable")
        require(unopenable == said, f"ballots that do not open: {unopenable}; stated: {said}")
        require(counted["records"] == number(self.statement, "records"), "not as many as stated")
        if "records_hash" in self.statement:
            require(counted["records_hash"] == self.statement["records_hash"], "other records")
        if not self.statement.get("too_few"):
            self._compare(counted)
        return f"{counted['records']} opened, each is what its entry says, and they give the result"

    def _opened(self, private: X25519PrivateKey) -> Counter[bytes]:
        """The ballots of the box that are what their entries say, equal ones together."""
        try:
            from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
        except ImportError:
            raise Failed("not done: this needs a newer version of `cryptography`") from None
        suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
        vectors: Counter[bytes] = Counter()
        with self.options.box.open("rb") as box:
            require(box.read(28) == b"mvote-box/1\n" + self.poll_id, "the box is of another poll")
            for entry in entries_in(self.bundle.chunks("log.bin")):
                if entry[0] != BALLOT:
                    continue
                length = int.from_bytes(box.read(2), "big")
                try:
                    plain = suite.decrypt(box.read(length), private)
                    marks_in(self.definition["question"], plain[49:])
                except (InvalidTag, ValueError):
                    continue
                c = commitment(self.poll_id, plain[1:17], plain[17:49], plain[49:])
                if plain[:1] == b"\1" and plain[1:17] + c == entry[1:]:
                    vectors[plain[49:]] += 1
            require(not box.read(1), "the box holds more than the log")
        return vectors


def commitment(poll_id: bytes, tracker: bytes, salt: bytes, vector: bytes) -> bytes:
    return h("mvote/commitment/1", poll_id, tracker, salt, vector)


def pieces(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """What the chunks hold, in pieces of *size* bytes."""
    data = b""
    for chunk in chunks:
        data += chunk
        whole = len(data) - len(data) % size
        yield from (data[at : at + size] for at in range(0, whole, size))
        data = data[whole:]


def said_totals(totals: dict[str, Any]) -> str:
    return ", ".join(f"{key} {total}" for key, total in totals.items())


def keys_in(pin: str) -> list[Key]:
    """The keys that `--pin` names: one as text, a file with one a line, or a keys.json."""
    path = Path(pin)
    text = path.read_text("utf-8") if len(pin) < 200 and path.is_file() else pin
    named: list[Any] = text.split()
    if text.lstrip().startswith("{"):
        found = read_json(text.encode(), "it")
        named = [key for name in ("log_keys", "witnesses") for key in found.get(name, ())]
    require(named, "no key stands in it")  # or it would be as if nothing were pinned
    return [read_key(key) for key in named]


def private_key(options: argparse.Namespace) -> X25519PrivateKey:
    """The key that opens the box, from a file (32 bytes; raw, hex or base64) or from shares."""
    if options.share:
        return X25519PrivateKey.from_private_bytes(_from_shares(options.share))
    if options.private_key is None:
        raise Failed("the box needs --private-key or enough --share")
    raw: bytes = options.private_key.read_bytes()
    text = raw.strip()
    if len(raw) != 32:
        is_hex = re.fullmatch(rb"[0-9a-fA-F]{64}", text)
        raw = bytes.fromhex(text.decode()) if is_hex else unbase64(text.decode())
    return X25519PrivateKey.from_private_bytes(raw)


def _from_shares(shares: Sequence[str]) -> bytes:
    try:
        import shamir_mnemonic
    except ImportError:
        raise Failed("not done: shares need the package shamir-mnemonic, pip install it") from None
    words = [Path(s).read_text() if len(s) < 200 and Path(s).is_file() else s for s in shares]
    try:
        return bytes(shamir_mnemonic.combine_mnemonics([" ".join(w.split()) for w in words]))
    except shamir_mnemonic.MnemonicError as error:
        raise Failed(f"the shares do not make a key: {error}") from None


# --- the program ----------------------------------------------------------------------------------


FILES = ("bundle", "previous", "receipt", "box", "private_key")
UNPROVEN = 3  # the exit code of --strict; 2 says that the program was called wrongly


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check the bundle of an mvote poll, offline.")
    add = parser.add_argument
    add("bundle", type=Path, help="bundle.zip, as it was downloaded")
    add("--pin", action="append", default=[], help="keys to trust: a key, or a file of keys")
    add("--previous", type=Path, help="an earlier bundle of this poll, or a saved checkpoint")
    add("--receipt", type=Path, help="a voter's receipt (JSON)")
    add("--selections", help="what the receipt's voter chose: option keys with commas")
    add("--box", type=Path, help="the sealed ballots, for observers")
    add("--private-key", type=Path, help="the poll's private key, for observers")
    add("--share", action="append", default=[], help="words of a trustee, or a file with them")
    add("--strict", action="store_true", help="exit 3 if anything that matters is NOT PROVEN")
    add("--json", action="store_true", help="answer as JSON")
    options = parser.parse_args(arguments)
    for path in (getattr(options, name) for name in FILES):
        if path and not path.is_file():
            parser.error(f"there is no file {path}")
    try:
        options.pin = [key for pin in options.pin for key in keys_in(pin)]
    except (Failed, TypeError, UnicodeError) as error:
        parser.error(f"--pin: {error}")
    lines = Verifier(options).run()
    holds = all(line.status != "FAILED" for line in lines)
    open_ = ", ".join(line.name for line in lines if line.status == "NOT PROVEN")
    code = (UNPROVEN if open_ and options.strict else 0) if holds else 1
    if options.json:
        print(json.dumps({"holds": holds, "checks": [line._asdict() for line in lines]}, indent=1))
        return code
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without UTF-8
    for line in lines:
        print(f"{line.status:<12} {line.name:<17} {line.text}")
    but = f" BUT NOT PROVEN: {open_}." if open_ else ""
    print(f"\nAll that was checked holds.{but}" if holds else "\nIT DOES NOT HOLD.")
    return code


if __name__ == "__main__":
    sys.exit(main())
