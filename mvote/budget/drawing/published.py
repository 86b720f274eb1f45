"""What is published of a draw, as files that a stranger repeats it from.

All are canonical JSON (RFC 8785). `pool`, `rule` and `commitment` are public before the public
value is known; `public_value`, `reveal` and `outcome` afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from mvote.budget.drawing.draw import Drawn, draw
from mvote.budget.drawing.lots import seed_of
from mvote.budget.drawing.quotas import Person, Quota, Rule

FORMAT = "mvote/draw/1"


@dataclass(frozen=True, kw_only=True)
class Draw:
    """All that decides a draw. *public_source* says beforehand what the value will be."""

    rule: Rule
    pool: Sequence[Person]
    secret: bytes
    commitment: bytes
    public_source: str
    public_value: str

    @property
    def seed(self) -> bytes:
        """Raises `SecretNotCommitted`."""
        return seed_of(self.secret, commitment=self.commitment, public_value=self.public_value)


def only_what_counts(pool: Iterable[Person], rule: Rule) -> list[Person]:
    """The pool by pseudonym, without any fact that no quota asks for: nothing else is published."""
    asked: dict[str, set[str]] = {}
    for quota in (*rule.quotas, *rule.reserve_quotas):
        asked.setdefault(quota.category, set()).update(quota.values)
    return [
        Person(
            pseudonym=person.pseudonym,
            categories={
                category: tuple(sorted(values & set(person.categories.get(category, ()))))
                for category, values in asked.items()
            },
        )
        for person in sorted(pool, key=lambda person: person.pseudonym)
    ]


def files_before(
    rule: Rule, pool: Iterable[Person], *, commitment: bytes, public_source: str
) -> dict[str, bytes]:
    """What is published when applications have closed: file name → bytes."""
    persons = [_of_person(each) for each in only_what_counts(pool, rule)]
    return {
        "commitment.json": _file(commitment=commitment.hex(), public_source=public_source),
        "pool.json": _file(persons=persons),
        "rule.json": _file(**_of_rule(rule)),
    }


def hold_and_publish(given: Draw) -> tuple[Drawn, dict[str, bytes]]:
    """Draw, and all files: those before, the two halves of the seed, and the outcome."""
    before = files_before(
        given.rule, given.pool, commitment=given.commitment, public_source=given.public_source
    )
    drawn = draw(given.rule, only_what_counts(given.pool, given.rule), seed=given.seed)
    after = {
        "public_value.json": _file(public_value=given.public_value),
        "reveal.json": _file(secret=given.secret.hex()),
        "outcome.json": _file(
            seed=given.seed.hex(),
            members=list(drawn.members),
            reserves=list(drawn.reserves),
            sha256={name: hashlib.sha256(data).hexdigest() for name, data in before.items()},
        ),
    }
    return drawn, before | after


def _file(**content: Any) -> bytes:
    return rfc8785.dumps({"format": FORMAT, **content})


def _of_person(person: Person) -> dict[str, Any]:
    categories = {category: list(held) for category, held in person.categories.items()}
    return {"pseudonym": person.pseudonym, "categories": categories}


def _of_rule(rule: Rule) -> dict[str, Any]:
    return {
        "seats": rule.seats,
        "quotas": [_of_quota(each) for each in rule.quotas],
        "reserves": rule.reserves,
        "reserve_quotas": [_of_quota(each) for each in rule.reserve_quotas],
    }


def _of_quota(quota: Quota) -> dict[str, Any]:
    return {
        "name": quota.name,
        "category": quota.category,
        "values": list(quota.values),
        "min": quota.at_least,
        "max": quota.at_most,
    }


def rule_from(document: Mapping[str, Any]) -> Rule:
    """A rule from its published form."""
    return Rule(
        seats=document["seats"],
        quotas=tuple(_quota_from(each) for each in document["quotas"]),
        reserves=document["reserves"],
        reserve_quotas=tuple(_quota_from(each) for each in document["reserve_quotas"]),
    )


def _quota_from(document: Mapping[str, Any]) -> Quota:
    return Quota(
        name=document["name"],
        category=document["category"],
        values=tuple(document["values"]),
        at_least=document["min"],
        at_most=document["max"],
    )
