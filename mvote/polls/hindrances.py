"""What keeps a poll from opening, and what its author is only warned of, in two languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TITLES = {
    "no-closing-time": ("마감 시각이 없습니다.", "There is no closing time."),
    "closes-in-the-past": ("마감 시각이 지났습니다.", "The closing time has passed."),
    "period-too-long": (
        "투표 기간은 366일을 넘을 수 없습니다.",
        "Voting may last 366 days at most.",
    ),
    "opens-too-late": (
        "투표는 366일 안에 시작해야 합니다.",
        "Voting must begin within 366 days.",
    ),
    "no-question": ("질문이 없습니다.", "There is no question."),
    "too-few-options": ("선택지가 두 개 이상 필요합니다.", "At least two options are needed."),
    "more-selections-than-options": (
        "고를 수 있는 수가 선택지보다 많습니다.",
        "More selections are allowed than there are options.",
    ),
    "options-look-alike": (
        "다른 선택지와 구별되지 않습니다.",
        "This option looks like another one.",
    ),
    "no-area": ("투표 구역이 없습니다.", "There is no area."),
    "unknown-area": ("알 수 없는 지역 코드입니다.", "No area has this code."),
    "no-sealing-key": (
        "개표용 키가 준비되지 않았습니다. 잠시 후 다시 시도해 주세요.",
        "The counter has no sealing key in stock. Try again in a moment.",
    ),
    "narrow-area": (
        "구역의 폭이 150m보다 좁아 휴대전화로는 안팎을 구별하기 어렵습니다.",
        "The area is narrower than 150 m: phones can hardly tell inside from outside.",
    ),
}


@dataclass(frozen=True)
class Hindrance:
    """One hindrance or warning: a stable code, and the place in the poll (a JSON pointer)."""

    code: str
    pointer: str

    def shown(self) -> dict[str, Any]:
        """As it stands in the answer."""
        ko, en = TITLES[self.code]
        return {"code": self.code, "title": {"ko": ko, "en": en}, "pointer": self.pointer}
