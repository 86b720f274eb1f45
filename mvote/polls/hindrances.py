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
    "keystore-away": (
        "지금은 키를 안전하게 보관할 수 없습니다. 잠시 후 다시 시도해 주세요.",
        "Keys cannot be kept safely now. Try again in a moment.",
    ),
    "no-trustee-key": (
        "보관위원들의 키를 정해 주세요.",
        "Name the trustees' key.",
    ),
    "unknown-trustee-key": (
        "연습을 마친 보관위원들의 키가 아닙니다.",
        "No trustees have passed a drill with this key.",
    ),
    "trustee-key-used": (
        "이 키는 이미 다른 투표에 쓰였습니다. 키 하나는 투표 하나에만 씁니다.",
        "This key serves another poll; a key serves one poll only.",
    ),
    "trustees-for-government": (
        "보관위원 방식은 시의 투표에만 쓸 수 있습니다.",
        "Only a government's poll can have trustees.",
    ),
    "live-with-trustees": (
        "보관위원이 키를 가진 투표는 진행 중에 결과를 보여 줄 수 없습니다.",
        "With trustees nobody can count while the poll is open: no live results.",
    ),
    "custody-is-server": (
        "보관위원들의 키를 쓰려면 custody를 trustees로 정해 주세요.",
        "A trustees' key needs custody `trustees`.",
    ),
    "proposing-open": (
        "아직 제안을 받고 있습니다.",
        "Proposals are still taken.",
    ),
    "too-many-projects": (
        "한 투표에는 사업을 1,000개까지 올릴 수 있습니다.",
        "A ballot holds 1,000 projects at most.",
    ),
    "method-not-cast": (
        "이 투표 방식은 아직 지원하지 않습니다.",
        "Ballots of this method cannot be cast yet.",
    ),
    "nothing-to-mark": (
        "이 제한으로는 사업을 하나도 고를 수 없습니다.",
        "The limits leave nothing to be marked.",
    ),
    "limit-never-met": (
        "투표에 오른 사업으로는 이 제한을 지킬 수 없습니다.",
        "With the projects on the ballot nobody could keep to this limit.",
    ),
    "statement-not-sealed": (
        "아직 봉인되지 않은 조사 결과가 있습니다. 첫 투표가 시작되면 더 이상 봉인할 수 없습니다.",
        "A survey's statement is not sealed yet; once the first poll opens it cannot be any more.",
    ),
    "roll-empty": (
        "이 명부에는 아무도 없습니다.",
        "Nobody is on this roll.",
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
