"""What bulletins say, in both languages; times are the city's."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from mvote.budget.telling.bulletin import Bulletin, Kind
from mvote.budget.telling.inbox import Received
from mvote.errors import Text

OF_ONE: dict[Kind, Text] = {
    "returned": {
        "ko": "보완이 필요하여 제안을 돌려보냈습니다. {due}까지 고쳐서 다시 제출해 주세요.",
        "en": "It was sent back to you. Please submit it again, revised, by {due}.",
    },
    "lapsed": {
        "ko": "보완 기한이 지나 제안이 종료되었습니다.",
        "en": "It was not submitted again in time and has lapsed.",
    },
    "under_review": {
        "ko": "위원회가 제안을 심사합니다.",
        "en": "The committee is reviewing it.",
    },
    "approved": {
        "ko": "위원회 심사를 통과했습니다.",
        "en": "The committee has approved it.",
    },
    "rejected": {
        "ko": "제안이 채택되지 않았습니다. 이유는 제안 화면에서 볼 수 있습니다.",
        "en": "It was rejected; the reasons stand with the proposal.",
    },
    "withdrawn": {"ko": "제안자가 제안을 철회했습니다.", "en": "Its authors have withdrawn it."},
    "merged": {
        "ko": "다른 제안과 하나로 합쳐졌습니다. 공감도 함께 옮겨졌습니다.",
        "en": "It was merged into another proposal, with all who support it.",
    },
    "split": {
        "ko": "여러 제안으로 나뉘었습니다. 공감도 함께 옮겨졌습니다.",
        "en": "It was split into several proposals, with all who support it.",
    },
    "on_ballot": {"ko": "주민투표 대상 사업이 되었습니다.", "en": "It is on the ballot."},
    "struck": {
        "ko": "투표 대상에서 제외되었습니다. 이유는 제안 화면에서 볼 수 있습니다.",
        "en": "It was struck from the ballot; the reason stands with the proposal.",
    },
    "funded": {"ko": "예산 사업으로 선정되었습니다.", "en": "It will be funded."},
    "reserve": {
        "ko": "예비 사업 명단에 올랐습니다.",
        "en": "It is on the reserve list.",
    },
    "not_funded": {"ko": "이번에는 선정되지 않았습니다.", "en": "It will not be funded this time."},
    "enacted": {
        "ko": "예산이 확정되어 사업을 추진합니다.",
        "en": "Its budget is enacted; the city will build it.",
    },
    "reduced": {
        "ko": "예산이 줄어든 금액으로 확정되었습니다.",
        "en": "Its budget is enacted with a smaller amount.",
    },
    "dropped": {
        "ko": "사업을 추진하지 않기로 결정되었습니다.",
        "en": "It was dropped.",
    },
    "update": {
        "ko": "사업 추진 소식이 새로 올라왔습니다.",
        "en": "There is news of how far it is.",
    },
    "assessment_overdue": {
        "ko": "검토 기한({due})이 지났습니다. 지연 사실은 공개됩니다.",
        "en": "Its assessment was due by {due}. That it is overdue is public.",
    },
    "delivery_overdue": {
        "ko": "사업 추진이 계획({due})보다 늦습니다. 지연 사실은 공개됩니다.",
        "en": "Its delivery is late: something was due by {due}. That it is overdue is public.",
    },
}
OF_SEVERAL: dict[Kind, Text] = {
    "on_ballot": {
        "ko": "주민투표 대상 사업이 정해졌습니다({count}건).",
        "en": "Projects on the ballot: {count}.",
    },
    "struck": {
        "ko": "투표 대상에서 제외된 사업이 있습니다({count}건).",
        "en": "Projects struck from the ballot: {count}.",
    },
    "funded": {
        "ko": "예산 사업으로 선정된 사업을 알려 드립니다({count}건).",
        "en": "Projects that will be funded: {count}.",
    },
    "enacted": {
        "ko": "예산이 확정된 사업을 알려 드립니다({count}건).",
        "en": "Projects whose budget is enacted: {count}.",
    },
    "reduced": {
        "ko": "줄어든 금액으로 예산이 확정된 사업이 있습니다({count}건).",
        "en": "Projects enacted with a smaller budget: {count}.",
    },
    "dropped": {
        "ko": "추진하지 않기로 한 사업이 있습니다({count}건).",
        "en": "Projects that were dropped: {count}.",
    },
    "update": {
        "ko": "사업 추진 소식이 올라왔습니다({count}건).",
        "en": "Projects with news of how far they are: {count}.",
    },
}


def said(received: Received) -> Text:
    """The bulletin in both languages, what it is about first."""
    bulletin = received.bulletin
    about = _about(received)
    forms = OF_ONE if bulletin.proposal_id else OF_SEVERAL
    due = _due(bulletin, ZoneInfo(received.time_zone))
    count = bulletin.facts.get("count", 1)
    return {
        language: f"{about[language]}: {form.format(due=due[language], count=count)}"
        for language, form in forms[bulletin.kind].items()
    }


def _about(received: Received) -> Text:
    """`[2027-0001] its title`, or the cycle's title; in a language that is not there, the other."""
    title = received.title or received.cycle_title
    mark = f"[{received.reference}] " if received.reference else ""
    any_title = next(iter(title.values()))
    return {language: mark + title.get(language, any_title) for language in ("ko", "en")}


def _due(bulletin: Bulletin, zone: ZoneInfo) -> Text:
    if bulletin.due_at is None:
        return {"ko": "", "en": ""}
    at: dt.datetime = bulletin.due_at.astimezone(zone)
    return {
        "ko": f"{at.year}년 {at.month}월 {at.day}일 {at:%H:%M}",
        "en": f"{at:%Y-%m-%d %H:%M}",
    }
