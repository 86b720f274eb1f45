"""The statement: what the counter attests of a count, and what of it may be published."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mvote.ballotbox.tallying import Tally, count_marks, in_order, outcome_by, records_hash
from mvote.ballotbox.unsealing import Count
from mvote.polls.definition import SMALLEST_FULL_RECORDS, FrozenPoll

PACKAGE = Path(__file__).parent.parent
PROGRAM = (
    "ballotbox/ballot_marks.py", "ballotbox/counting.py", "ballotbox/helping.py",
    "ballotbox/merkle.py", "ballotbox/methods/outcome.py", "ballotbox/methods/pairwise.py",
    "ballotbox/methods/runoff.py", "ballotbox/methods/schulze.py", "ballotbox/notation.py",
    "ballotbox/sealing.py", "ballotbox/statements.py", "ballotbox/tallying.py",
    "ballotbox/unsealing.py", "ballotbox/vectors.py", "budget/balloting/rules.py",
    "budget/definition/ballots.py", "budget/definition/headings.py",
    "budget/definition/reading.py", "budget/definition/tree.py", "budget/drawing/lots.py",
    "budget/limits.py", "polls/definition.py",
)  # fmt: skip
"""All that decides what a ballot counts for, and who wins: its modules below `mvote/`."""


def program_hash() -> str:
    """SHA-256 over the source of the counting program, file by file."""
    digest = hashlib.sha256()
    for name in PROGRAM:
        digest.update(name.encode() + b"\x00" + (PACKAGE / name).read_bytes())
    return digest.hexdigest()


def records_public(poll: FrozenPoll, ballots: int) -> bool:
    """Vectors are shown if frozen so, if enough came, and never few unusual ones."""
    several_marks = poll.question.max_selections > 1 or poll.question.kind == "points"
    least = SMALLEST_FULL_RECORDS if several_marks else 0
    return poll.records == "full" and ballots >= max(poll.publish_from, least)


def statement_of(
    poll: FrozenPoll, count: Count, figures: Mapping[str, Any], *, is_public: bool
) -> dict[str, Any]:
    """What the counter attests. Totals only if enough ballots came to hide each voter in.

    The records' hash stands beside public records only: of few ballots with few options all
    possible lists could be tried until one gives the hash.
    """
    counted = count_marks(poll.question, count.vectors)
    statement: dict[str, Any] = {
        "format": "mvote-statement/1",
        "method": poll.question.method,
        "poll_id": str(poll.poll_id),
        "definition_hash": poll.hash.hex(),
        **figures,
        "program_hash": program_hash(),
        "too_few": count.ballots < poll.publish_from,
    }
    if not poll.may_spoil:
        statement["spoilt"] = 0
    if not statement["too_few"]:
        statement["valid"] = count.ballots - counted.blank - counted.spoilt
        statement["blank"] = counted.blank
        statement["spoilt"] = counted.spoilt
        statement["totals"] = dict(zip(poll.question.options, counted.totals, strict=True))
        statement |= _decided(poll, count, counted)
    if is_public:
        statement["records_hash"] = records_hash(in_order(count.vectors))
    return statement


def _decided(poll: FrozenPoll, count: Count, counted: Tally) -> dict[str, Any]:
    """Who won, several if they are tied, and the workings; of projects the allocation decides."""
    if poll.question.rules is not None:
        return {}
    outcome = outcome_by(poll.question, count, counted.totals, count.root())
    found: dict[str, Any] = {"winners": [*outcome.winners]}
    return found if outcome.workings is None else found | {"workings": outcome.workings}
