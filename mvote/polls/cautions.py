"""What a voter should know before voting: how this poll's figures could give somebody away."""

from __future__ import annotations

from typing import Any

from mvote.languages import side_by_side
from mvote.wording import Message, say

LIVE = say(
    "Interim figures are shown while voting runs. Whoever floods a batch with ballots they know can"
    " find out what another ballot in that batch says."
)
FULL = say(
    "After the count the content of every ballot is published, without names and out of order."
    " Where few vote, or all alike, one can guess who chose what."
)
RANKING = say(
    "After the count it is published how often each option was ranked before each other one, or"
    " what each round came to. Where few vote, one can guess who ranked how."
)


def few(publish_from: int) -> Message:
    """From how many ballots on there is a result; at least 2, so there is no singular."""
    return say(
        "If fewer than {publish_from} ballots come, only their number is published and no result,"
        " because few ballots can give a voter away.",
        publish_from=publish_from,
    )


def cautions_of(
    *, results: str, records: str | None, publish_from: int, kind: str | None = None
) -> list[dict[str, Any]]:
    """The cautions of a poll by what it publishes: code, and text in Korean and English."""
    found = [("few-ballots", few(publish_from))]
    if kind == "ranking":
        found.insert(0, ("rankings-compared", RANKING))
    if records == "full":
        found.insert(0, ("full-records", FULL))
    if results == "live":
        found.insert(0, ("live-results", LIVE))
    return [{"code": code, "text": side_by_side(text)} for code, text in found]
