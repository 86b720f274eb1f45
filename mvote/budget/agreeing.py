"""What all authors decide together: withdrawing, merging and splitting proposals.

Each author calls the same; the last one's call carries it out.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import rfc8785
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.looking_up import acts_for, cycle_of, locked_proposals, own_proposal
from mvote.budget.paper_entry import on_paper
from mvote.budget.proposal import BEFORE_THE_FREEZE, Proposal, Verb, after
from mvote.budget.proposal_people import Act, AuthorsConsent, authors_of, join_people
from mvote.budget.proposing import hand_in
from mvote.budget.reviewing.recusing import recuse_people_of
from mvote.budget.revision import newest_revision
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest, NotAllowed, NotFound
from mvote.journal import Event, write_down
from mvote.wording import say


@dataclass(frozen=True, kw_only=True)
class AuthorAgreed(Event):
    kind: ClassVar[str] = "proposal:author_agreed"
    act: str


@dataclass(frozen=True, kw_only=True)
class AuthorDisagreed(Event):
    """They agree to nothing any more that the other authors have not agreed to yet."""

    kind: ClassVar[str] = "proposal:author_disagreed"


@dataclass(frozen=True, kw_only=True)
class ProposalWithdrawn(Event):
    kind: ClassVar[str] = "proposal:withdrawn"


@dataclass(frozen=True, kw_only=True)
class ProposalMerged(Event):
    kind: ClassVar[str] = "proposal:merged"
    into: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class ProposalSplit(Event):
    kind: ClassVar[str] = "proposal:split"
    parts: list[str]


def withdraw(session: Session, *, proposal_id: uuid.UUID, by: uuid.UUID) -> int:
    """Withdraw a proposal: how many authors must still agree; 0 once it is done.

    Raises NotFound, NotAllowed, ImpossibleTransition.
    """
    proposal = _own(session, [proposal_id], proposal_id, by)[proposal_id]
    _check_can(session, proposal, "withdraw")
    left = _agree(session, act="withdraw", proposals=[proposal], arguments={}, by=by)
    if not left:
        proposal.move("withdraw", now=database_time(session))
        session.flush()
        write_down(session, ProposalWithdrawn(), actor_id=by, subject_id=proposal_id)
    return left


def merge(session: Session, *, proposal_id: uuid.UUID, into: uuid.UUID, by: uuid.UUID) -> int:
    """Merge a proposal into another: how many authors of both must still agree.

    Its authors become authors there, its supporters supporters, each person once. Raises NotFound,
    NotAllowed, ImpossibleTransition, InvalidRequest.
    """
    if into == proposal_id:
        raise InvalidRequest(Fault("/into", say("Must be another proposal.")))
    both = _own(session, [proposal_id, into], proposal_id, by)
    source, target = both[proposal_id], both[into]
    if target.reference is None:
        raise NotFound
    if source.cycle_id != target.cycle_id:
        raise InvalidRequest(Fault("/into", say("Must be of the same cycle.")))
    _check_somebody_can_agree(session, both)
    for each in (source, target):
        _check_can(session, each, "merge")
    arguments = {"into": str(into), "texts": [source.revision, target.revision]}
    left = _agree(session, act="merge", proposals=[source, target], arguments=arguments, by=by)
    if not left:
        _merge_now(session, source, target, by)
    return left


def _merge_now(session: Session, source: Proposal, target: Proposal, by: uuid.UUID) -> None:
    now = database_time(session)
    source.merged_into = target.id
    source.move("merge", now=now)
    session.flush()
    join_people(session, source=source.id, target=target.id)
    target.version += 1
    session.flush()
    recuse_people_of(session, target, ground="co_author")
    write_down(session, ProposalMerged(into=target.id), actor_id=by, subject_id=source.id)


def split(
    session: Session, *, proposal_id: uuid.UUID, parts: Sequence[uuid.UUID], by: uuid.UUID
) -> int:
    """Split a proposal into drafts made for it: how many authors must still agree.

    Its authors and supporters become those of each part. Raises NotFound, NotAllowed,
    ImpossibleTransition, InvalidRequest, NotReadyToSubmit.
    """
    if len(set(parts)) < len(parts):
        raise InvalidRequest(Fault("/parts", say("The same draft twice.")))
    found = _own(session, [proposal_id, *parts], proposal_id, by)
    origin, drafts = found[proposal_id], [found[each] for each in sorted(parts)]
    _check_somebody_can_agree(session, found)
    _check_can(session, origin, "split")
    for n, part in enumerate(parts):
        if found[part].split_from != proposal_id or found[part].state != "draft":
            raise InvalidRequest(
                Fault(f"/parts/{n}", say("Must be a draft split from this proposal."))
            )
    arguments = {
        "text": origin.revision,
        "parts": [[str(part.id), part.version] for part in drafts],
    }
    left = _agree(session, act="split", proposals=[origin, *drafts], arguments=arguments, by=by)
    if not left:
        _split_now(session, origin, drafts, by)
    return left


def _split_now(
    session: Session, origin: Proposal, parts: Sequence[Proposal], by: uuid.UUID
) -> None:
    now, cycle = database_time(session), cycle_of(session, origin)
    origin.move("split", now=now)
    session.flush()
    for part in parts:
        join_people(session, source=origin.id, target=part.id)
        hand_in(session, part, cycle, now=now, by=by)
        session.flush()
        recuse_people_of(session, part, ground="author")
    event = ProposalSplit(parts=[str(part.reference) for part in parts])
    write_down(session, event, actor_id=by, subject_id=origin.id)


def _own(
    session: Session, ids: Sequence[uuid.UUID], proposal_id: uuid.UUID, by: uuid.UUID
) -> dict[uuid.UUID, Proposal]:
    """The proposals, locked, if the citizen is an author of one of them."""
    found = locked_proposals(session, ids)
    theirs = {each for each in found if acts_for(session, each, by)}
    if found[proposal_id].reference is None and proposal_id not in theirs:
        raise NotFound
    if not theirs:
        raise NotAllowed
    return found


def _check_somebody_can_agree(session: Session, ids: Collection[uuid.UUID]) -> None:
    """Whose author never had an account, or deleted it, cannot agree here: nobody takes over what
    they left, nor its supporters. Raises NotAllowed."""
    if on_paper(session, ids):
        raise NotAllowed(say("What came on paper is not merged or split."))
    if any(not authors_of(session, [each]) for each in ids):
        raise NotAllowed(say("What its authors have left is not merged or split."))


def _check_can(session: Session, proposal: Proposal, verb: Verb) -> None:
    after(proposal.state_at(database_time(session)), verb)


def _agree(
    session: Session,
    *,
    act: Act,
    proposals: Sequence[Proposal],
    arguments: dict[str, Any],
    by: uuid.UUID,
) -> int:
    """Note that *by* agrees to exactly this; how many of all the authors have not yet."""
    first = proposals[0]
    texts = {str(each.id): newest_revision(session, each.id).n for each in proposals}
    said = rfc8785.dumps({"arguments": arguments, "texts": texts})
    digest = hashlib.sha256(b"mvote/authors-consent/1\x00" + said).digest()
    key = {"proposal_id": first.id, "act": act, "arguments_hash": digest}
    adding = insert(AuthorsConsent).values(**key, citizen_id=by).on_conflict_do_nothing()
    if session.scalar(adding.returning(AuthorsConsent.at)) is not None:
        write_down(session, AuthorAgreed(act=act), actor_id=by, subject_id=first.id)
    given = select(AuthorsConsent.citizen_id).filter_by(**key)
    return len(authors_of(session, [each.id for each in proposals]) - set(session.scalars(given)))


def disagree(session: Session, *, proposal_id: uuid.UUID, by: uuid.UUID) -> None:
    """Take back whatever the author agreed to that others still wait to agree to.

    Raises NotFound, NotAllowed, ImpossibleTransition once it was carried out.
    """
    proposal = own_proposal(session, proposal_id, by)
    state = proposal.state_at(database_time(session))
    if state not in ("draft", *BEFORE_THE_FREEZE):
        raise ImpossibleTransition(state=state, verb="disagree")
    mine = (AuthorsConsent.proposal_id == proposal_id, AuthorsConsent.citizen_id == by)
    taken = session.scalars(delete(AuthorsConsent).where(*mine).returning(AuthorsConsent.act))
    if taken.all():
        write_down(session, AuthorDisagreed(), actor_id=by, subject_id=proposal_id)
