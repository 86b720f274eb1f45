"""What a voter should know before voting: how this poll's figures could give somebody away."""

from __future__ import annotations

from typing import Any

LIVE_KO = """
투표가 진행되는 동안 중간 집계가 공개됩니다. 누군가 자기가 아는 표로 한 묶음을 거의 채우면
그 묶음에 함께 섞인 표의 내용이 드러날 수 있습니다.
"""
LIVE_EN = """
Interim figures are shown while voting runs. Whoever floods a batch with ballots they know can find
out what another ballot in that batch says.
"""
FULL_KO = """
개표 뒤 모든 투표지의 내용이 이름과 순서 없이 공개됩니다. 투표자가 적거나 모두 같은 선택을 하면
누가 무엇을 골랐는지 짐작할 수 있습니다.
"""
FULL_EN = """
After the count the content of every ballot is published, without names and out of order. Where few
vote, or all alike, one can guess who chose what.
"""
FEW_KO = """
투표수가 publish_from에 못 미치면 누가 무엇을 골랐는지 드러날 수 있으므로 결과는 공개하지 않고
투표수만 공개합니다.
"""
FEW_EN = """
If fewer ballots come than publish_from says, only their number is published and no result, because
few ballots can give a voter away.
"""


def cautions_of(*, results: str, records: str | None) -> list[dict[str, Any]]:
    """The cautions of a poll by what it publishes: code, and text in Korean and English."""
    found = [("few-ballots", FEW_KO, FEW_EN)]
    if records == "full":
        found.insert(0, ("full-records", FULL_KO, FULL_EN))
    if results == "live":
        found.insert(0, ("live-results", LIVE_KO, LIVE_EN))
    return [
        {"code": code, "text": {"ko": _one_line(ko), "en": _one_line(en)}} for code, ko, en in found
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())
