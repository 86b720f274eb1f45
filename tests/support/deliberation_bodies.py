"""Right bodies for what committees do: meetings, judgments, lists, divisions."""

from __future__ import annotations

import uuid
from typing import Any

DELIBERATION: dict[str, Any] = {
    "prefer_subcommittees": {"subcommittees": [str(uuid.uuid4())]},
    "call_a_meeting": {
        "form": "meeting", "starts_at": "2098-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z",
        "place": "시청",
        "agenda": [{"text": "심사", "proposal_id": str(uuid.uuid4())}],
    },
    "call_a_meeting_off": {"reason": "태풍"},
    "record_who_was_there": {"seats": [str(uuid.uuid4())]},
    "write_the_minutes": {"text": "의결함"},
    "vote_on_a_proposal": {"vote": "yes", "reason": "필요합니다."},
    "move_something_else": {"motion": "return", "missing": "견적서"},
    "close_the_judgment": {"meeting_id": str(uuid.uuid4())},
    "put_a_list_to_the_vote": {
        "ranked": [str(uuid.uuid4())], "not_chosen": [str(uuid.uuid4())],
        "meeting_id": str(uuid.uuid4()),
    },
    "pull_a_project_out": {"proposal_id": str(uuid.uuid4()), "reason": "따로 보겠습니다."},
    "vote_on_a_list": {"vote": "no", "reason": "너무 많습니다."},
}  # fmt: skip
