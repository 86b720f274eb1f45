"""The rules of the demo's cycles, their dates put around now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.demo.budget.ideas import HEADINGS, Idea
from api.demo.budget.ideas_delivered import DELIVERED
from api.demo.budget.ideas_for_people import FOR_PEOPLE
from api.demo.budget.ideas_in_review import IN_REVIEW
from api.demo.budget.ideas_on_streets import ON_STREETS
from api.demo.budget.ideas_outdoors import OUTDOORS
from mvote.base import instant
from mvote.budget.cycle import PHASE_KINDS, PhaseKind
from mvote.errors import Text

Definition = dict[str, Any]
CITY = "city"
EVERYWHERE = ["home", "work", "business", "study"]
DAY = dt.timedelta(days=1)
CRITERIA = [
    {"key": "need", "title": {"ko": "필요성", "en": "Need"}, "scale": 5, "weight": 1},
    {"key": "benefit", "title": {"ko": "효과", "en": "Benefit"}, "scale": 5, "weight": 1},
]
HALF = {"more_than": "1/2"}


@dataclass(frozen=True, kw_only=True)
class DemoCycle:
    """One cycle of the demo; `%d` in its title is the budget year."""

    key: str
    title: Text
    #: where it stands in the demo
    phase: PhaseKind
    budget_limit: int | None
    #: how many years after this one its money is spent
    years_ahead: int
    #: members of the definition that differ from the other cycles'
    rules: Definition
    ideas: Sequence[Idea]

    def definition(self, now: dt.datetime) -> Definition:
        """What an app would send to `POST /v1/cycles`: it takes proposals since two months."""
        year = now.year + self.years_ahead
        city = {"key": CITY, "title": {"ko": "서울", "en": "Seoul"}}
        fields = [{"key": key, "title": title, "parent": CITY} for key, title in HEADINGS.items()]
        return {
            "title": {language: said % year for language, said in self.title.items()},
            "currency": "KRW",
            "budget_year": year,
            "budget_limit": self.budget_limit,
            "headings": [city, *fields],
            "kinds": [],
            "cost_caps": [],
            "proposers": {"basis": EVERYWHERE, "organisations": True,
                          "excluded": ["public_body_staff"]},
            "phases": [each for each in phases(now)
                       if each["kind"] != "reviewing" or "review" in self.rules],
            "clocks": {"assess_days": 30, "return_days": 10, "appeal_days": 7,
                       "appeal_decision_days": 14},
            "decision": {"by": "plenary", "may_deviate": "with_reason", "reserve_list": True,
                         "enacted_by": "council"},
        } | self.rules  # fmt: skip


def phases(now: dt.datetime) -> list[dict[str, str]]:
    """All of them planned; officers begin one after the other earlier than that."""
    began = now.replace(microsecond=0)
    days = (-60, 20, 40, 70, 100, 130, 500)
    ends = [instant(began + each * DAY) for each in days]
    return [
        {"kind": kind, "opens_at": opens_at, "closes_at": closes_at}
        for kind, opens_at, closes_at in zip(PHASE_KINDS, ends, ends[1:], strict=False)
    ]


def contest(sources: list[Definition], **more: Any) -> Definition:
    """The one contest of a cycle: its most wanted projects are funded as far as money goes."""
    ties = [each["key"] for each in sources if each["kind"] == "poll"]
    return {
        "key": CITY,
        "headings": [CITY],
        "sources": sources,
        "blend": {"normalise": "share_of_votes", "missing": "block", "min_ballots": 5},
        "allocation": {"rule": "greedy", "ties": [*ties, "lower_cost", "lot"]},
    } | more


CITIZENS = {
    "key": "citizens", "title": {"ko": "시민", "en": "Citizens"}, "kind": "poll", "weight": 1,
    "eligibility": {"area_basis": EVERYWHERE},
}  # fmt: skip
FIVE = {"over": "all", "count": {"min": 1, "max": 5}}

REVIEWED = DemoCycle(
    key="review",
    title={"ko": "%d 서울 청년참여예산", "en": "Seoul Youth Budget %d"},
    phase="reviewing",
    years_ahead=1,
    budget_limit=1_000_000_000,
    ideas=IN_REVIEW,
    rules={
        "review": {
            "criteria": CRITERIA,
            "opinions_min": 3,
            "body": "plenary",
            "decide": {"mode": "each"},
            "quorum": HALF | {"floor": 5},
            "carried": HALF | {"of": "present"},
            "appeal_body": "appeals",
        },
        "contests": [contest([CITIZENS], ballot={"method": "approve", "limits": [FIVE]})],
    },
)


BY_LIST = {
    "criteria": CRITERIA,
    "opinions_min": 0,
    "body": "plenary",
    "decide": {"mode": "shortlist", "max_projects": 40},
    "quorum": HALF | {"floor": 5},
    "carried": HALF | {"of": "present"},
    "appeal_body": "appeals",
}
"""The committee judges all projects in one recorded vote."""

VOTED_ON = DemoCycle(
    key="voting",
    title={"ko": "%d 서울 시민참여예산", "en": "Seoul Participatory Budget %d"},
    phase="balloting",
    years_ahead=1,
    budget_limit=None,
    ideas=(*ON_STREETS, *OUTDOORS, *FOR_PEOPLE),
    rules={
        "contests": [contest([CITIZENS], ballot={"method": "approve", "limits": [FIVE]})],
    },
)
"""Departments alone check what is proposed, and nothing binds: the vote ranks."""

SOURCES = [
    CITIZENS | {"weight": 45},
    {"key": "committee", "title": {"ko": "위원회", "en": "Committee"}, "kind": "poll",
     "weight": 45, "roll": "active_seats"},
    {"key": "survey", "title": {"ko": "설문조사", "en": "Survey"}, "kind": "statement",
     "weight": 10, "unit": "respondents"},
]  # fmt: skip
ONE_PER_FIELD = {"over": "each:heading", "count": {"max": 1}}
IN_THE_END = DemoCycle(
    key="finished",
    title={"ko": "%d 서울 동네참여예산", "en": "Seoul Neighbourhood Budget %d"},
    phase="delivering",
    years_ahead=0,
    budget_limit=1_500_000_000,
    ideas=DELIVERED,
    rules={
        "review": BY_LIST,
        "contests": [
            contest(SOURCES, ballot={"method": "approve", "limits": [FIVE, ONE_PER_FIELD]})
        ],
    },
)
"""Much as in 2015: citizens 45, the committee 45, a survey 10; five marks, one in each field."""

CYCLES = (REVIEWED, VOTED_ON, IN_THE_END)
