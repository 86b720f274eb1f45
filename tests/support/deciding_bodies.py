"""A right body for each operation with which a cycle is decided."""

from __future__ import annotations

from typing import Any

DECIDING_BODIES: dict[str, dict[str, Any]] = {
    "seal_a_statement": {
        "values": {"2027-0001": 470},
        "unit": "respondents",
        "sample_size": 1_000,
        "document": {"url": "https://survey.example/2027.pdf", "sha256": "0f" * 32},
    },
    "lay_a_motion": {
        "changes": [
            {"reference": "2027-0001", "decision": "funded", "amount": 5, "text": "꼭 필요합니다."}
        ]
    },
    "vote_on_a_motion": {"vote": "yes"},
    "enact_a_project": {"amount": 4_000_000, "text": "토지 매입비가 줄었습니다."},
}
