"""A right body for every operation of the review that takes one."""

from __future__ import annotations

from typing import Any

REVIEW_BODIES: dict[str, Any] = {
    "step_aside_from_a_proposal": {"ground": "household"},
    "declare_my_interests": {"organisations": ["녹색모임"], "area_codes": ["1111053000"],
                             "points": [{"lat": 37.5, "lon": 127.0}], "text": "배우자"},
    "hand_in_an_opinion": {
        "scores": [{"criterion": "need", "score": 4, "reason": "어르신이 많이 다닙니다."}],
        "comment": "현장을 보았습니다.",
    },
}  # fmt: skip
