"""Cataloguing: the projects on the ballot as a booklet says them, in Korean, in easy words."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from mvote.budget.assessment import Assessment
from mvote.budget.cycle import Cycle
from mvote.budget.delivering.stages import FROZEN
from mvote.budget.proposal import Proposal
from mvote.budget.revision import Revision
from mvote.errors import DomainError
from mvote.wording import Message, say

Document = dict[str, Any]
AreaNames = Callable[[Sequence[str]], Mapping[str, str]]
"""The Korean names of those of the areas that a reader knows: districts and neighbourhoods."""
LONGEST_SUMMARY, MOST_NAMED = 300, 5
UNITS = {"KRW": "원"}
CITY_WIDE = "시 전체"


class CatalogueNotAvailable(DomainError):
    """No project of the cycle is on a ballot yet."""

    code = "catalogue-not-available"
    title: ClassVar[Message] = say("No projects are on a ballot yet.")


def catalogue_of(session: Session, cycle: Cycle, area_names: AreaNames) -> Document:
    """All that was put to the vote, by heading and number, as `qr.catalogue` prints it.

    What it cost when the ballot was frozen: as it was assessed. Raises CatalogueNotAvailable.
    """
    found = session.execute(_on_the_ballot(cycle)).all()
    if not found:
        raise CatalogueNotAvailable
    prices = _prices(session, [proposal.id for proposal, _ in found])
    names = area_names(sorted({code for _, text in found for code in text.area_codes}))
    projects = [
        (text.heading, _project(proposal, text, prices.get(proposal.id, text.amount), names))
        for proposal, text in found
    ]
    return {
        "title": f"{korean(cycle.title)} 투표 사업 안내",
        "unit": UNITS.get(cycle.currency or "", cycle.currency or ""),
        "count": len(found),
        "chapters": _chapters(cycle, projects),
    }


def _on_the_ballot(cycle: Cycle) -> Any:
    return (
        select(Proposal, Revision)
        .join(Revision, and_(Revision.proposal_id == Proposal.id, Revision.n == Proposal.revision))
        .where(Proposal.cycle_id == cycle.id, Proposal.state.in_(FROZEN))
        .order_by(Proposal.number)
    )


def _prices(session: Session, ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    confirmed = (
        select(Assessment.proposal_id, Assessment.assessed_amount)
        .join(
            Proposal,
            and_(
                Proposal.id == Assessment.proposal_id, Proposal.revision == Assessment.revision
            ),
        )
        .where(Assessment.proposal_id.in_(list(ids)), Assessment.confirmed_at.is_not(None))
    )  # fmt: skip
    return dict(session.execute(confirmed).all())


def _project(
    proposal: Proposal, text: Revision, amount: int, names: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "reference": proposal.reference,
        "title": korean(text.content["title"]),
        "summary": summary_of(text.content),
        "amount": amount,
        "place": _place(text.area_codes, names),
        "struck": proposal.state == "struck",
    }


def _place(codes: Sequence[str], names: Mapping[str, str]) -> str:
    """Of many, the first; without any, the whole city."""
    known = [names[code] for code in codes if code in names]
    more = f" 외 {len(known) - MOST_NAMED}곳" if len(known) > MOST_NAMED else ""
    return (", ".join(known[:MOST_NAMED]) + more) or CITY_WIDE


def summary_of(content: Mapping[str, Any]) -> str:
    """Its easy words; without any, as many whole sentences of its description as fit."""
    easy = content.get("easy_read")
    if easy:
        return korean(easy)
    whole = " ".join(korean(content.get("description") or content["title"]).split())
    if len(whole) <= LONGEST_SUMMARY:
        return whole
    cut = whole[:LONGEST_SUMMARY]
    end = max(cut.rfind(". "), cut.rfind("? "), cut.rfind("! "))
    return cut[: end + 1] if end > 0 else f"{cut.rstrip()}…"


def korean(text: Mapping[str, str]) -> str:
    """The Korean text, or the one that there is."""
    return text.get("ko") or next(iter(text.values()))


def _chapters(
    cycle: Cycle, projects: Sequence[tuple[str | None, dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The headings in the order of the cycle, those without projects left out."""
    headings = cycle.definition.get("headings") or ()
    titles = {each["key"]: korean(each.get("title") or {"ko": each["key"]}) for each in headings}
    chapters = [
        {"title": title, "projects": [project for key, project in projects if key == heading]}
        for heading, title in titles.items()
    ]
    return [chapter for chapter in chapters if chapter["projects"]]
