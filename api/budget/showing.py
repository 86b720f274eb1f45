"""Proposals as JSON: the text that counts, or for its authors the one they write at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api.budget.proposal_schemas import ProposalSchema
from api.etags import tagged_apart
from mvote.base import database_time
from mvote.budget.looking_up import author_row
from mvote.budget.paper_entry import acts_for_paper, on_paper
from mvote.budget.proposal import Proposal
from mvote.budget.proposal_lists import Listed
from mvote.budget.proposal_people import authors_counted, supporters_counted
from mvote.budget.returning import last_returns
from mvote.budget.revision import Revision, newest_revision
from mvote.budget.striking import strikes_of
from mvote.people.citizens import Citizen

PLAIN = (
    "title", "problem", "description", "beneficiaries", "easy_read", "organisation",
    "running_cost_per_year",
)  # fmt: skip
LISTS = ("cost_items", "places")
PATHS = {"pictures": "/v1/images/", "attachments": "/v1/attachments/"}
FACTS = (
    "id", "cycle_id", "reference", "state_since", "due_at", "department_id", "carried_from",
    "split_from", "merged_into", "created_at", "submitted_at",
)  # fmt: skip


CHANGED_BY_OTHERS = ("supports", "overdue")


def tagged_proposal(view: dict[str, Any], *, status: int = 200) -> Response:
    """What `shown` gives, with an ETag that its authors change it with."""
    return tagged_apart(view, CHANGED_BY_OTHERS, status=status)


def shown(session: Session, proposal: Proposal, viewer: Citizen | None) -> dict[str, Any]:
    """The proposal as *viewer* may see it, for a response with an ETag."""
    revision = text_for(session, proposal, viewer)
    [view] = views_of(session, [(proposal, revision)], database_time(session))
    dumped: dict[str, Any] = ProposalSchema().dump(view)
    return dumped


def text_for(session: Session, proposal: Proposal, viewer: Citizen | None) -> Revision:
    """The text that counts; for authors and who was invited to be one, the newest."""
    is_theirs = viewer is not None and (
        author_row(session, proposal.id, viewer.id) is not None
        or acts_for_paper(session, proposal.id, viewer.id)
    )
    if is_theirs or proposal.revision is None:
        return newest_revision(session, proposal.id)
    return session.get_one(Revision, (proposal.id, proposal.revision))


def views_of(session: Session, found: Sequence[Listed], now: dt.datetime) -> list[dict[str, Any]]:
    """The proposals with these texts, as ProposalSchema takes them."""
    ids = [proposal.id for proposal, _ in found]
    supporters, authors = supporters_counted(session, ids), authors_counted(session, ids)
    came_on_paper = on_paper(session, ids)
    returned = last_returns(session, [p.id for p, _ in found if p.state == "returned"])
    struck = strikes_of(session, [p.id for p, _ in found if p.state == "struck"])
    return [
        _facts(proposal, now)
        | _said(revision)
        | {
            "supports": supporters.get(proposal.id, 0),
            "authors": authors.get(proposal.id, 0),
            "on_paper": proposal.id in came_on_paper,
            "returned": returned.get(proposal.id),
            "struck": struck.get(proposal.id),
        }
        for proposal, revision in found
    ]


def _facts(proposal: Proposal, now: dt.datetime) -> dict[str, Any]:
    return {name: getattr(proposal, name) for name in FACTS} | {
        "state": proposal.state_at(now),
        "overdue": proposal.is_overdue_at(now),
    }


def _said(revision: Revision) -> dict[str, Any]:
    content = revision.content
    return {
        "revision": revision.n,
        "heading": revision.heading,
        "kind": revision.kind,
        "amount": revision.amount,
        "area_codes": revision.area_codes,
        **{name: content.get(name) for name in PLAIN},
        **{name: content.get(name) or [] for name in LISTS},
        **{name: _with_urls(content, name) for name in PATHS},
    }


def _with_urls(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [file | {"url": PATHS[name] + file["sha256"]} for file in content.get(name) or ()]
