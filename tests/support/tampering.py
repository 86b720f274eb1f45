"""Ways to tamper with a bundle: each makes files out of an honest poll's, and says what is found.

Those marked as signed are the operator's own lies: whoever holds the log's key signs them anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.support.bundles import Files, MadeUpPoll
from tests.support.by_hand import Signer, canonical, checkpoint_body, root_of, sha

Tampering = Callable[[MadeUpPoll, Files], Files]
UNSIGNED: dict[Tampering, str] = {}
SIGNED: dict[Tampering, str] = {}


def unsigned(check: str) -> Callable[[Tampering], Tampering]:
    """A change without the log's key; *check* finds it."""

    def note(tampering: Tampering) -> Tampering:
        UNSIGNED[tampering] = check
        return tampering

    return note


def signed(check: str) -> Callable[[Tampering], Tampering]:
    """A change by whoever holds the log's key, who signs a manifest over it; *check* finds it."""

    def note(tampering: Tampering) -> Tampering:
        SIGNED[tampering] = check
        return tampering

    return note


def flipped(data: bytes, place: int = -1, bit: int = 1) -> bytes:
    """*data* with one bit of the byte at *place* changed."""
    changed = bytearray(data)
    changed[place] ^= bit
    return bytes(changed)


def changed(data: bytes, **members: Any) -> bytes:
    """The JSON object *data* with other members."""
    return canonical(json.loads(data) | members)


# without the log's key


@unsigned("contents")
def flip_a_bit_of_the_log(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"log.bin": flipped(files["log.bin"], 100)}


@unsigned("contents")
def flip_a_bit_of_a_record(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"records.bin": flipped(files["records.bin"])}


@unsigned("contents")
def drop_the_records(poll: MadeUpPoll, files: Files) -> Files:
    return {name: data for name, data in files.items() if name != "records.bin"}


@unsigned("archive")
def add_a_file(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"readme.txt": b"trust me"}


@unsigned("contents")
def add_a_notice(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"notices/001.json": b"{}"}


@unsigned("archive")
def drop_the_statement(poll: MadeUpPoll, files: Files) -> Files:
    return {name: data for name, data in files.items() if name != "statement.json"}


@unsigned("signature")
def change_file_and_manifest(poll: MadeUpPoll, files: Files) -> Files:
    files = files | {"statement.json": changed(files["statement.json"], blank=0)}
    manifest = poll.signed(files)["manifest.json"]
    return files | {"manifest.json": manifest}


@unsigned("signature")
def sign_with_another_key(poll: MadeUpPoll, files: Files) -> Files:
    return poll.signed(files, Signer())


@unsigned("signature")
def drop_the_signature(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"manifest.sig": b""}


@unsigned("signature")
def sign_as_another_log(poll: MadeUpPoll, files: Files) -> Files:
    message = b"mvote-bundle/1\n" + files["manifest.json"]
    return files | {"manifest.sig": poll.log_key.line(poll.city, message).encode()}


@unsigned("contents")
def take_the_records_of_another_poll(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"records.bin": MadeUpPoll(seed=2).files()["records.bin"]}


# with the log's key, but not in step with the log


@signed("checkpoints")
def remove_a_ballot(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"log.bin": files["log.bin"][:33] + files["log.bin"][33 + 49 :]}


@signed("checkpoints")
def add_a_ballot(poll: MadeUpPoll, files: Files) -> Files:
    ballot = poll.ballot().entry
    return files | {"log.bin": files["log.bin"][:33] + ballot + files["log.bin"][33:]}


@signed("batches")
def swap_two_ballots(poll: MadeUpPoll, files: Files) -> Files:
    log, first, second = files["log.bin"], slice(33, 82), slice(82, 131)
    return files | {"log.bin": log[:33] + log[second] + log[first] + log[131:]}


@signed("checkpoints")
def change_a_commitment(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"log.bin": flipped(files["log.bin"], 33 + 40)}


@signed("log")
def add_an_entry_of_an_unknown_kind(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"log.bin": files["log.bin"] + b"\2" + bytes(48)}


@signed("log")
def cut_an_entry(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"log.bin": files["log.bin"][:-1]}


@signed("checkpoints")
def change_a_recorded_root(poll: MadeUpPoll, files: Files) -> Files:
    roots = json.loads(files["checkpoints.json"])
    roots[0]["root"] = sha(b"").hex()
    return files | {"checkpoints.json": canonical(roots)}


@signed("checkpoints")
def forget_a_batch(poll: MadeUpPoll, files: Files) -> Files:
    roots = json.loads(files["checkpoints.json"])
    return files | {"checkpoints.json": canonical(roots[:-1])}


@signed("final checkpoint")
def let_another_key_sign_the_checkpoint(poll: MadeUpPoll, files: Files) -> Files:
    body = files["checkpoint"].partition(b"\n\n")[0] + b"\n"
    return files | {"checkpoint": body + b"\n" + Signer().line(poll.origin, body).encode()}


@signed("final checkpoint")
def take_the_checkpoint_of_another_state(poll: MadeUpPoll, files: Files) -> Files:
    body = checkpoint_body(poll.origin, len(poll.voted), root_of(poll.voted))
    return files | {"checkpoint": body + b"\n" + poll.log_key.line(poll.origin, body).encode()}


@signed("city log")
def change_a_step_of_the_proof(poll: MadeUpPoll, files: Files) -> Files:
    proof = json.loads(files["city/proof.json"])
    proof["proof"][0] = sha(b"").hex()
    return files | {"city/proof.json": canonical(proof)}


@signed("city log")
def prove_another_checkpoint(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"city/proof.json": changed(files["city/proof.json"], entry="05" + "00" * 56)}


@signed("city log")
def take_another_city(poll: MadeUpPoll, files: Files) -> Files:
    body = files["city/checkpoint"].partition(b"\n\n")[0].replace(b"/city", b"/town") + b"\n"
    note = body + b"\n" + poll.log_key.line(poll.city, body).encode()
    return files | {"city/checkpoint": note}


@signed("witnesses")
def forge_a_cosignature(poll: MadeUpPoll, files: Files) -> Files:
    forged = poll.witness.cosignature("witness.example.org", b"something else\n")
    body = files["city/checkpoint"].decode().partition("\n\n")[0] + "\n"
    own = poll.log_key.line(poll.city, body.encode())
    return files | {"city/checkpoint": f"{body}\n{own}{forged}".encode()}


@signed("notices")
def change_a_notice(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"notices/000.json": changed(files["notices/000.json"], kind="extension")}


@signed("notices")
def hide_a_notice(poll: MadeUpPoll, files: Files) -> Files:
    return {name: data for name, data in files.items() if name != "notices/000.json"}


@signed("definition")
def change_the_question(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"definition.json": changed(files["definition.json"], publish_from=2)}


@signed("statement")
def change_the_totals(poll: MadeUpPoll, files: Files) -> Files:
    totals = {"yes": 60, "no": 0, "later": 0}
    return files | {"statement.json": changed(files["statement.json"], totals=totals)}


@signed("records")
def change_a_record(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"records.bin": files["records.bin"][10:] + files["records.bin"][-10:]}


@signed("records")
def put_the_records_out_of_order(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"records.bin": files["records.bin"][-10:] + files["records.bin"][:-10]}


@signed("records")
def lose_a_record(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"records.bin": files["records.bin"][:-10]}


@signed("records")
def invent_a_mark(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"records.bin": files["records.bin"][:-2] + b"\0\2"}


@signed("records")
def withhold_promised_records(poll: MadeUpPoll, files: Files) -> Files:
    return {name: data for name, data in files.items() if name != "records.bin"}


@signed("archive")
def name_a_file_outside(poll: MadeUpPoll, files: Files) -> Files:
    return files | {"../../etc/passwd": b"x"}
