"""Cataloguing: the projects on the ballot as a booklet says them, in easy words."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from mvote.budget.assessment import Assessment
from mvote.budget.cycle import Cycle
from mvote.budget.delivering.stages import FROZEN
from mvote.budget.proposal import Proposal
from mvote.budget.revision import Revision
from mvote.errors import DomainError
from mvote.languages import best_of, number_in, said
from mvote.wording import Message, say, say_number

Document = dict[str, Any]
AreaNames = Callable[[Sequence[str]], Mapping[str, str]]
"""The names of those of the areas that a reader knows: districts and neighbourhoods."""
LONGEST_SUMMARY, MOST_NAMED = 300, 5
TITLE = say("{cycle}: projects on the ballot")
WORDS = {
    "numbers": say("Each project has a number. Look for the same number when you vote."),
    "order": say("They stand in the order of their numbers. It says nothing of how good they are."),
    "costs": say("The cost is the money that a project takes."),
    "contents": say("Contents"),
    "struck": say("Struck from the ballot: votes for it bring it no money."),
    "cost": say("Cost:"),
    "place": say("Place:"),
}
CITY_WIDE, WON = say("the whole city"), say("{amount} won")


class CatalogueNotAvailable(DomainError):
    """No project of the cycle is on a ballot yet."""

    code = "catalogue-not-available"
    title: ClassVar[Message] = say("No projects are on a ballot yet.")


def catalogue_of(
    session: Session, cycle: Cycle, area_names: AreaNames, *, language: str
) -> Document:
    """All that was put to the vote, by heading and number, as `qr.catalogue` prints it.

    What it cost when the ballot was frozen: as it was assessed. What people wrote stands in the
    *language* as far as they wrote in it. Raises CatalogueNotAvailable.
    """
    found = session.execute(_on_the_ballot(cycle)).all()
    if not found:
        raise CatalogueNotAvailable
    prices = _prices(session, [proposal.id for proposal, _ in found])
    reader = Reader(language, area_names(sorted({c for _, text in found for c in text.area_codes})))
    projects = [
        (text.heading, reader.project(cycle, proposal, text, prices.get(proposal.id, text.amount)))
        for proposal, text in found
    ]
    words = WORDS | {"count": _how_many(len(found))}
    return {
        "language": language,
        "title": reader.said(TITLE.format(cycle=reader.own(cycle.title))),
        "words": {name: reader.said(sentence) for name, sentence in words.items()},
        "chapters": _chapters(cycle, projects, reader),
    }


def _how_many(projects: int) -> Message:
    return say_number(
        "This booklet has {number} project to vote on.",
        "This booklet has {number} projects to vote on.",
        projects,
    )


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


@dataclass(frozen=True)
class Reader:
    """For whom it is printed: in which *language*, and what the areas are called in it."""

    language: str
    names: Mapping[str, str]

    def said(self, sentence: Message) -> str:
        return said(sentence, self.language)

    def own(self, text: Mapping[str, str]) -> str:
        """What people wrote, in the language or in the one that there is."""
        return best_of(text, self.language)[0]

    def project(
        self, cycle: Cycle, proposal: Proposal, text: Revision, amount: int
    ) -> dict[str, Any]:
        return {
            "reference": proposal.reference,
            "title": self.own(text.content["title"]),
            "summary": summary_of(text.content, self.language),
            "amount": self._money(amount, cycle.currency or ""),
            "place": self._place(text.area_codes),
            "struck": proposal.state == "struck",
        }

    def _money(self, amount: int, currency: str) -> str:
        if currency == "KRW":
            return self.said(WON.format(amount=amount))
        return f"{number_in(self.language, amount)} {currency}".strip()

    def _place(self, codes: Sequence[str]) -> str:
        """Of many, the first; without any, the whole city."""
        known = [self.names[code] for code in codes if code in self.names]
        if not known:
            return self.said(CITY_WIDE)
        if len(known) <= MOST_NAMED:
            return ", ".join(known)
        return self.said(
            say_number(
                "{places} and {number} more place",
                "{places} and {number} more places",
                len(known) - MOST_NAMED,
                places=known[:MOST_NAMED],
            )
        )


def summary_of(content: Mapping[str, Any], language: str) -> str:
    """Its easy words; without any, as many whole sentences of its description as fit."""
    easy = content.get("easy_read")
    if easy:
        return best_of(easy, language)[0]
    described = content.get("description") or content["title"]
    whole = " ".join(best_of(described, language)[0].split())
    if len(whole) <= LONGEST_SUMMARY:
        return whole
    cut = whole[:LONGEST_SUMMARY]
    end = max(cut.rfind(". "), cut.rfind("? "), cut.rfind("! "))
    return cut[: end + 1] if end > 0 else f"{cut.rstrip()}…"


def _chapters(
    cycle: Cycle, projects: Sequence[tuple[str | None, dict[str, Any]]], reader: Reader
) -> list[dict[str, Any]]:
    """The headings in the order of the cycle, those without projects left out."""
    headings = cycle.definition.get("headings") or ()
    titles = {
        each["key"]: reader.own(each.get("title") or {"ko": each["key"]}) for each in headings
    }
    chapters = [
        {"title": title, "projects": [project for key, project in projects if key == heading]}
        for heading, title in titles.items()
    ]
    return [chapter for chapter in chapters if chapter["projects"]]
