"""Sealing a survey's statement: two officers, before the first poll of the contest opens."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mvote.approvals import Approval, ask, one_at_a_time
from mvote.base import Json
from mvote.budget.balloting.contest_poll import contest_in
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.errors import SealingOver
from mvote.budget.deciding.projects import references_in
from mvote.budget.deciding.statement import SourceStatement, Statement, sha256_of
from mvote.budget.planning import cycle_of
from mvote.errors import (
    Fault,
    ImpossibleTransition,
    InvalidRequest,
    NotFound,
    stands_for,
)
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say

ACT = "statement:seal"
_SEAL = text("SELECT seal_statement(:cycle_id, :contest, :source, :content, :approval_id, :by)")
_RELEASED = text("SELECT n, content FROM released_statements(:cycle_id, :contest, :source)")
_MAY_SEAL = text("SELECT may_seal(:cycle_id, :contest)")

stands_for("statement_before_first_poll", SealingOver)


@dataclass(frozen=True, kw_only=True)
class StatementSealed(Event):
    kind: ClassVar[str] = "statement:sealed"
    approval_id: uuid.UUID
    contest: str
    source: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A sealed statement as it may be shown: its text is None until the release."""

    statement: SourceStatement
    content: bytes | None

    @property
    def document(self) -> Json:
        """The statement, read."""
        return None if self.content is None else orjson.loads(self.content)


def seal(
    session: Session,
    *,
    cycle_id: uuid.UUID,
    contest: str,
    source: str,
    statement: Statement,
    key: bytes,
    by: Citizen,
) -> Approval | None:
    """Seal *statement*, or ask for it: the request that now waits, or None once it is done.

    A later one replaces it as long as no poll of the contest has opened; both hashes stay public.
    Raises NotFound, ImpossibleTransition, SealingOver, InvalidRequest.
    """
    one_at_a_time(session, cycle_id)
    cycle = cycle_of(session, cycle_id)
    planned = statement_source(cycle, contest, source)
    if cycle.state != "running":
        raise ImpossibleTransition(state=cycle.state, verb="seal")
    here = {"cycle_id": cycle_id, "contest": contest}
    if not session.execute(_MAY_SEAL, here).scalar_one():
        raise SealingOver
    if faults := list(_faults(statement, planned, references_in(session, cycle, contest))):
        raise InvalidRequest(*faults)
    content = statement.content(cycle_id=cycle_id, contest=contest, source=source, key=key)
    sha256 = sha256_of(content).hex()
    arguments = {
        "contest": contest,
        "source": source,
        "n": _next_number(session, cycle_id, contest, source),
        "sha256": sha256,
    }
    approval = ask(session, act=ACT, subject_id=cycle_id, arguments=arguments, officer_id=by.id)
    if approval.asked_by == by.id:
        return approval
    bound = here | {"source": source, "content": content, "approval_id": approval.id, "by": by.id}
    session.execute(_SEAL, bound)
    event = StatementSealed(approval_id=approval.id, contest=contest, source=source, sha256=sha256)
    write_down(session, event, actor_id=by.id, subject_id=cycle_id)
    return None


def statement_source(cycle: Cycle, contest: str, source: str) -> dict[str, Any]:
    """The source as the definition has it, if it is a statement's. Raises NotFound."""
    for each in contest_in(cycle, contest)["sources"]:
        if each["key"] == source and each.get("kind", "poll") == "statement":
            return dict(each)
    raise NotFound


def _faults(
    statement: Statement, planned: dict[str, Any], references: frozenset[str]
) -> Iterator[Fault]:
    for reference, value in statement.values.items():
        if reference not in references:
            yield Fault(
                f"/values/{_escaped(reference)}",
                say("No project of this contest has this reference."),
            )
        elif value > statement.sample_size and statement.unit == "respondents":
            yield Fault(
                f"/values/{_escaped(reference)}",
                say("More than were asked."),
            )
    if planned.get("unit") not in (None, statement.unit):
        yield Fault("/unit", say("The cycle names another unit."))


def _escaped(name: str) -> str:
    """As a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _next_number(session: Session, cycle_id: uuid.UUID, contest: str, source: str) -> int:
    sealed = (
        select(func.count())
        .select_from(SourceStatement)
        .where(
            SourceStatement.cycle_id == cycle_id,
            SourceStatement.contest == contest,
            SourceStatement.source == source,
        )
    )
    return session.scalars(sealed).one()


def seals_of(session: Session, *, cycle: Cycle, contest: str, source: str) -> Sequence[Seal]:
    """All that was sealed for the source, in its order; texts only once they are released.

    Raises NotFound for what is no statement's source.
    """
    statement_source(cycle, contest, source)
    bound = {"cycle_id": cycle.id, "contest": contest, "source": source}
    released = {row.n: bytes(row.content) for row in session.execute(_RELEASED, bound)}
    sealed = select(SourceStatement).where(
        SourceStatement.cycle_id == cycle.id,
        SourceStatement.contest == contest,
        SourceStatement.source == source,
    )
    found = session.scalars(sealed.order_by(SourceStatement.n)).all()
    return [Seal(statement=each, content=released.get(each.n)) for each in found]
