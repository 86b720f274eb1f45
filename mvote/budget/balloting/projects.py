"""The projects of a contest as they go onto the ballot, each at the price that is frozen there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from mvote.budget.assessment import Assessment
from mvote.budget.balloting.contest_poll import polls_of_contest
from mvote.budget.cycle import Cycle
from mvote.budget.proposal import Proposal, State
from mvote.budget.revision import Revision
from mvote.errors import Fault, InvalidRequest, Text
from mvote.polls.poll import Poll
from mvote.wording import say

Option = dict[str, Any]
"""`key` and `reference` (the same), `title`, `summary`, `amount`, `heading`, `kind`, `groups`,
`min_useful_amount`: an option of the frozen question. Money in whole units of the currency."""
Groups = Mapping[str, Sequence[str]]
"""Group of the contest -> references of its projects."""
ELIGIBLE: tuple[State, ...] = ("approved", "on_ballot")
"""What was on a ballot that was given up goes onto the next."""
LONGEST_SUMMARY = 400


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A proposal that goes onto the ballot, locked, and the option it becomes."""

    proposal: Proposal
    option: Option


def candidates(
    session: Session, *, cycle: Cycle, headings: Collection[str], groups: Groups
) -> list[Candidate]:
    """The approved proposals under *headings*, in the order of their numbers, locked for change.

    Raises InvalidRequest for a group that names something else.
    """
    locked = session.execute(_approved(cycle, headings)).all()
    rows = sorted(locked, key=lambda row: row[0].number)
    references = {str(proposal.reference) for proposal, _, _ in rows}
    _check_groups(groups, references)
    return [
        Candidate(proposal=proposal, option=_option(proposal, revision, assessment, groups))
        for proposal, revision, assessment in rows
    ]


def _approved(cycle: Cycle, headings: Collection[str]) -> Any:
    is_text = and_(Revision.proposal_id == Proposal.id, Revision.n == Proposal.revision)
    is_found = and_(
        Assessment.proposal_id == Proposal.id,
        Assessment.revision == Proposal.revision,
        Assessment.confirmed_at.is_not(None),
    )
    return (
        select(Proposal, Revision, Assessment)
        .join(Revision, is_text)
        .outerjoin(Assessment, is_found)
        .where(
            Proposal.cycle_id == cycle.id,
            Proposal.state.in_(ELIGIBLE),
            Revision.heading.in_(headings),
        )
        .order_by(Proposal.id)  # as whoever locks several of them does
        .with_for_update(of=Proposal)
        .execution_options(populate_existing=True)
    )


def _check_groups(groups: Groups, references: Collection[str]) -> None:
    faults = [
        Fault(
            f"/groups/{place}/references/{n}",
            say("No project on this ballot has this reference."),
        )
        for place, members in enumerate(groups.values())
        for n, reference in enumerate(members)
        if reference not in references
    ]
    if faults:
        raise InvalidRequest(*faults)


def _option(
    proposal: Proposal, revision: Revision, assessment: Assessment | None, groups: Groups
) -> Option:
    """The price is what the assessment found; what was never assessed costs what it says."""
    reference = str(proposal.reference)
    option = {
        "key": reference,
        "reference": reference,
        "title": revision.content["title"],
        "summary": _shortened(revision.content.get("description")),
        "amount": assessment.assessed_amount if assessment else revision.amount,
        "heading": revision.heading,
        "kind": revision.kind,
        "groups": sorted(group for group, members in groups.items() if reference in members),
        "min_useful_amount": assessment.min_useful_amount if assessment else None,
    }
    return {name: value for name, value in option.items() if value not in (None, [])}


def _shortened(text: Text | None) -> Text | None:
    """The beginning, which the voter reads; the whole stands with the proposal."""
    if text is None:
        return None
    return {
        language: said if len(said) <= LONGEST_SUMMARY else f"{said[: LONGEST_SUMMARY - 1]}…"
        for language, said in text.items()
    }


def question_of_contest(session: Session, *, cycle: Cycle, contest: str) -> dict[str, Any] | None:
    """What is asked in the contest, frozen with its first poll; None before there is one.

    Its `options` are all projects on the ballot, the struck ones, too.
    """
    asked = polls_of_contest(session, cycle_id=cycle.id, contest=contest)
    return next((_question(poll) for _, poll in asked if poll.state != "cancelled"), None)


def _question(poll: Poll) -> dict[str, Any]:
    found: dict[str, Any] = poll.content["question"]
    return found
