"""Right bodies for what keeps citizens' polls from flooding the city."""

from __future__ import annotations

import uuid
from typing import Any

MODERATION: dict[str, Any] = {
    "ask_similar": {
        "title": {"ko": "나무를 심을까요?"}, "description": "광장에", "question": "심을까요?",
        "limit": 5,
    },
    "report_a_poll": {"poll_id": str(uuid.uuid4()), "ground": "other", "text": "이상해요."},
    "decide_a_case": {
        "decision": "keep", "reason": {"ko": "광고", "en": "Advertising"}, "version": "0.1",
    },
}  # fmt: skip
