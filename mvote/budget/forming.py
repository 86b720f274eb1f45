"""Forming a committee: its name, its term, and, where it is drawn, all that decides the draw."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mvote.approvals import Approval, ask, one_at_a_time
from mvote.base import database_time
from mvote.budget.body_names import bodies_of
from mvote.budget.committee import Committee, CommitteeTargets
from mvote.budget.committee_errors import TargetsFixed
from mvote.budget.cycle import Cycle
from mvote.budget.drawing.published import rule_from
from mvote.budget.drawing.quotas import Quota, Rule, scaled
from mvote.errors import Fault, InvalidRequest, NotAllowed, NotFound, Text, stands_for
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.people.declaring import Areas
from mvote.wording import say

ACT = "committee:targets"
_CHANGE = text("SELECT change_targets(:committee_id, :approval_id, :by)")
TIGHTER = say("A quota may be lowered or left away, not tightened.")
STAYS = say("The number of seats stays.")
Targets = dict[str, Any]
"""`seats`, `quotas`, `reserves`, `reserve_quotas`, as they are published."""

stands_for(
    "ck_committee_committed_before_applications_close",
    lambda: InvalidRequest(
        Fault(
            "/draw/applications_close_at",
            say("It must lie ahead."),
        )
    ),
)


@dataclass(frozen=True, kw_only=True)
class CommitteeFormed(Event):
    kind: ClassVar[str] = "committee:formed"
    cycle_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class TargetsChanged(Event):
    kind: ClassVar[str] = "committee:targets"
    approval_id: uuid.UUID


def form_committee(
    session: Session,
    *,
    cycle: Cycle,
    by: uuid.UUID,
    facts: dict[str, Any],
    targets: Targets | None,
    areas: Areas,
) -> Committee:
    """A new committee of the cycle. *facts* are its columns; *targets* where it is drawn by lot.

    The commitment to the seed is published with it, before anybody applies. Raises InvalidRequest.
    """
    now = database_time(session)
    _check_kind(cycle, facts["kind"])
    _check_headings(cycle, facts["headings"])
    _check_areas(session, areas, facts["area_codes"])
    term = {"starts_on": _day(cycle, now), "ends_on": _last_day(cycle)}
    given = {name: value for name, value in facts.items() if value is not None}
    committee = Committee(cycle_id=cycle.id, created_by=by, created_at=now, **term | given)
    if committee.starts_on >= committee.ends_on:
        raise InvalidRequest(
            Fault(
                "/ends_on",
                say("It must be later than starts_on."),
            )
        )
    session.add(committee)
    session.flush()  # whatever follows refers to it
    session.refresh(committee)  # by whose clock it was published
    if targets is not None:
        document = whole(targets)
        session.add(CommitteeTargets(committee_id=committee.id, n=0, document=document))
        session.flush()
    write_down(session, CommitteeFormed(cycle_id=cycle.id), actor_id=by, subject_id=committee.id)
    return committee


def _check_kind(cycle: Cycle, kind: str) -> None:
    known = bodies_of(cycle.definition)
    if kind not in known:
        said = say("The cycle has no such body. It has: {bodies}.", bodies=sorted(known))
        raise InvalidRequest(Fault("/kind", said))


def _check_headings(cycle: Cycle, headings: Sequence[str]) -> None:
    known = {heading["key"] for heading in cycle.definition.get("headings") or ()}
    faults = [
        Fault(f"/headings/{n}", say("There is no such heading in this cycle."))
        for n, heading in enumerate(headings)
        if heading not in known
    ]
    if faults:
        raise InvalidRequest(*faults)


def _check_areas(session: Session, areas: Areas, area_codes: Sequence[str]) -> None:
    faults = [
        Fault(f"/area_codes/{n}", say("No area has this code."))
        for n, code in enumerate(area_codes)
        if areas.lineage(session, code) is None
    ]
    if faults:
        raise InvalidRequest(*faults)


def _day(cycle: Cycle, at: dt.datetime) -> dt.date:
    return at.astimezone(ZoneInfo(cycle.time_zone)).date()


def _last_day(cycle: Cycle) -> dt.date:
    ends = (dt.datetime.fromisoformat(each["closes_at"]) for each in cycle.definition["phases"])
    return _day(cycle, max(ends))


def today(session: Session, cycle: Cycle) -> dt.date:
    """The city's day, by the database's clock."""
    return _day(cycle, database_time(session))


def whole(targets: Targets) -> Targets:
    """The targets as they are published; reserves have the members' quotas, scaled, by default."""
    if "reserve_quotas" in targets:
        return targets
    quotas = scaled(
        rule_from(targets | {"reserve_quotas": []}).quotas,
        seats=targets["seats"],
        reserves=targets["reserves"],
    )
    return targets | {"reserve_quotas": [_as_json(each) for each in quotas]}


def _as_json(quota: Quota) -> dict[str, Any]:
    bounds = {"min": quota.at_least, "max": quota.at_most}
    named = {"name": quota.name, "category": quota.category, "values": list(quota.values)}
    return named | bounds


def targets_of(session: Session, committee_id: uuid.UUID) -> Sequence[CommitteeTargets]:
    """All targets that were ever published, the first one first; the last one counts."""
    of_it = select(CommitteeTargets).where(CommitteeTargets.committee_id == committee_id)
    return session.scalars(of_it.order_by(CommitteeTargets.n)).all()


def rule_of(session: Session, committee_id: uuid.UUID) -> Rule | None:
    """The rule that counts now; None where nobody is drawn."""
    published = targets_of(session, committee_id)
    return rule_from(published[-1].document) if published else None


def committee_of(session: Session, committee_id: uuid.UUID) -> Committee:
    """The committee. Raises NotFound."""
    committee = session.get(Committee, committee_id)
    if committee is None:
        raise NotFound
    return committee


def committees_of(
    session: Session,
    cycle_id: uuid.UUID,
    *,
    after: uuid.UUID | None = None,
    limit: int | None = None,
) -> Sequence[Committee]:
    """Up to *limit* committees of a cycle, the oldest first, from behind *after* on."""
    of_it = select(Committee).where(Committee.cycle_id == cycle_id).order_by(Committee.id)
    if after is not None:
        of_it = of_it.where(Committee.id > after)
    return session.scalars(of_it.limit(limit)).all()


def own_committee(session: Session, committee_id: uuid.UUID, officer: Citizen) -> Committee:
    """The committee, alone with whoever else acts on it, if its cycle is the officer's.

    Raises NotFound, NotAllowed.
    """
    one_at_a_time(session, committee_id)
    committee = committee_of(session, committee_id)
    cycle = session.get_one(Cycle, committee.cycle_id)
    if cycle.department_id not in officer.department_ids:
        raise NotAllowed
    return committee


def lower_targets(
    session: Session, *, committee_id: uuid.UUID, by: Citizen, targets: Targets, why: Text
) -> Approval | None:
    """Lower quotas in public, or ask for it: the request that now waits, or None once it is done.

    Raises NotFound, TargetsFixed, InvalidRequest.
    """
    one_at_a_time(session, committee_id)
    committee = committee_of(session, committee_id)
    _check_is_before_the_seed(session, committee)
    document, published = whole(targets), targets_of(session, committee_id)[-1].document
    if document == published:  # somebody else was quicker
        return None
    _check_only_lowers(rule_from(published), rule_from(document))
    arguments = {"targets": document, "text": why}
    approval = ask(session, act=ACT, subject_id=committee_id, arguments=arguments, officer_id=by.id)
    if approval.asked_by == by.id:
        return approval
    bound = {"committee_id": committee_id, "approval_id": approval.id, "by": by.id}
    if not session.execute(_CHANGE, bound).scalar_one():
        raise TargetsFixed
    event = TargetsChanged(approval_id=approval.id)
    write_down(session, event, actor_id=by.id, subject_id=committee_id)
    return None


def _check_is_before_the_seed(session: Session, committee: Committee) -> None:
    known_at = committee.public_value_at
    if known_at is None or known_at <= database_time(session):
        raise TargetsFixed


def _check_only_lowers(before: Rule, after: Rule) -> None:
    """See that nothing is demanded that was not demanded before. Raises InvalidRequest."""
    lists = {"quotas": (before.quotas, after.quotas),
             "reserve_quotas": (before.reserve_quotas, after.reserve_quotas)}  # fmt: skip
    faults = [
        Fault(f"/targets/{name}/{n}", TIGHTER)
        for name, (old, new) in lists.items()
        for n, quota in enumerate(new)
        if not any(_is_no_tighter(quota, each) for each in old)
    ]
    if after.reserves > before.reserves:
        faults.append(Fault("/targets/reserves", TIGHTER))
    if after.seats != before.seats:
        faults.append(Fault("/targets/seats", STAYS))
    if faults:
        raise InvalidRequest(*faults)


def _is_no_tighter(after: Quota, before: Quota) -> bool:
    is_same = (after.category, set(after.values)) == (before.category, set(before.values))
    most = after.at_most is None or (before.at_most is not None and after.at_most >= before.at_most)
    return is_same and after.at_least <= before.at_least and most
