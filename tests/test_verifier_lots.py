"""The verifier on lots between tied winners: told beside the other notices, and drawn once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.bundles import MadeUpPoll
from tests.support.by_hand import sha
from tests.test_verifier_totals_only import Capture, lines_of, ranked


def drawn(poll: MadeUpPoll, secret: bytes) -> dict[str, Any]:
    """The notice of a lot between the winners that the statement names."""
    tied, value = poll.said["winners"], sha(poll.statement).hex()
    seed = sha(b"mvote/seed/1" + secret + value.encode())
    order = sorted(tied, key=lambda key: sha(b"mvote/lot/1" + seed + key.encode()))
    return {
        "kind": "draw", "secret": secret.hex(), "public_value": value,
        "tied": tied, "order": order, "winner": order[0],
    }  # fmt: skip


def test_a_lot_is_told_beside_the_other_notices_and_drawn_once(
    tmp_path: Path, capsys: Capture
) -> None:
    poll = ranked("borda", [("red", 30), ("blue", 30)])
    poll.definition["lot"] = sha(bytes(32)).hex()
    poll.notices.append(drawn(poll, bytes(32)))
    status, text = lines_of(tmp_path, capsys, poll)["notices"]
    assert status == "ok"
    assert text.startswith("2, as in the log: correction, draw, ")
    assert text.endswith(" was drawn by lot among 2 tied winners")
    poll.notices.append(drawn(poll, bytes(32)) | {"winner": "amber"})
    status, text = lines_of(tmp_path, capsys, poll)["notices"]
    assert (status, text) == ("FAILED", "THE LOT WAS DRAWN MORE THAN ONCE")
