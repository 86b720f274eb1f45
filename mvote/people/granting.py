"""Who acts for a department, who runs it all: roles, and the departments themselves."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from mvote.errors import Fault, InvalidRequest, NotAllowed, Text
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen, Department, Role, RoleGrant
from mvote.wording import say


@dataclass(frozen=True, order=True)
class Post:
    """A role to hold: an officer's with its department, an administrator's without."""

    role: Role
    department_id: uuid.UUID | None = None

    def __str__(self) -> str:
        return f"{self.role}:{self.department_id}" if self.department_id else self.role


@dataclass(frozen=True, kw_only=True)
class RolesSet(Event):
    kind = "roles:set"
    given: list[str]
    taken: list[str]


@dataclass(frozen=True, kw_only=True)
class DepartmentAdded(Event):
    kind = "department:added"
    name: Text


def add_department(session: Session, *, name: Text, by: uuid.UUID | None) -> Department:
    """A new department called *name*."""
    department = Department(name=name)
    session.add(department)
    session.flush()
    event = DepartmentAdded(name=name)
    write_down(session, event, actor_id=by, subject_id=department.id)
    return department


def set_roles(
    session: Session, *, citizen_id: uuid.UUID, posts: Collection[Post], by: Citizen
) -> None:
    """Let a citizen hold exactly these *posts*.

    Raises InvalidRequest for an unknown department, NotAllowed for giving up one's own
    administrator's role: somebody must be left who can undo it.
    """
    held = _held(session, citizen_id)
    if by.id == citizen_id and Post("administrator") in held - set(posts):
        raise NotAllowed(say("An administrator's role is taken by another administrator."))
    _change(session, citizen_id, given=set(posts) - held, taken=held - set(posts), by=by.id)


def grant(
    session: Session, *, citizen_id: uuid.UUID, post: Post, by: uuid.UUID | None = None
) -> None:
    """Let a citizen hold *post* beside what they hold; *by* None: from the command line."""
    _change(session, citizen_id, given={post} - _held(session, citizen_id), taken=set(), by=by)


def _held(session: Session, citizen_id: uuid.UUID) -> set[Post]:
    found = session.execute(
        select(RoleGrant.role, RoleGrant.department_id).where(RoleGrant.citizen_id == citizen_id)
    )
    return {Post(role, department_id) for role, department_id in found}  # type: ignore[arg-type]


def _change(
    session: Session,
    citizen_id: uuid.UUID,
    *,
    given: set[Post],
    taken: set[Post],
    by: uuid.UUID | None,
) -> None:
    if not (given or taken):
        return
    _check_departments(session, given)
    for post in taken:
        session.execute(
            delete(RoleGrant).where(
                RoleGrant.citizen_id == citizen_id,
                RoleGrant.role == post.role,
                RoleGrant.department_id.is_not_distinct_from(post.department_id),
            )
        )
    rows = [
        {"citizen_id": citizen_id, "role": post.role, "department_id": post.department_id}
        for post in given
    ]
    if rows:
        session.execute(insert(RoleGrant), rows)
    event = RolesSet(given=sorted(map(str, given)), taken=sorted(map(str, taken)))
    write_down(session, event, actor_id=by, subject_id=citizen_id)


def _check_departments(session: Session, posts: set[Post]) -> None:
    asked = {post.department_id for post in posts if post.department_id}
    known = session.scalars(select(Department.id).where(Department.id.in_(asked)))
    unknown = asked - set(known)
    if unknown:
        raise InvalidRequest(
            Fault(
                "/roles", say("There is no department {department_id}.", department_id=min(unknown))
            )
        )


def departments_after(
    session: Session, place: uuid.UUID | None, *, limit: int
) -> Sequence[Department]:
    """At most *limit* departments, the oldest first, from behind the one with the id *place*."""
    statement = select(Department).order_by(Department.id).limit(limit)
    if place is not None:
        statement = statement.where(Department.id > place)
    return session.scalars(statement).all()
