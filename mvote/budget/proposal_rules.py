"""What a cycle's rules say of a proposal: its heading, its costs, who may propose, until when."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.cycle import Cycle
from mvote.budget.definition.whole import RESIDENTS
from mvote.budget.proposal_errors import NotAProposer
from mvote.budget.revision import DEAREST
from mvote.errors import Fault
from mvote.people.attributes import Attribute
from mvote.wording import say

Content = dict[str, Any]
CLOCKS = {"assess_days": 30, "return_days": 10, "appeal_days": 7, "appeal_decision_days": 14}
"""Where a cycle does not say."""
BASES = ("home", "work", "business", "study")
NEEDED = ("problem", "description", "heading", "kind", "cost_items")
"""What a submitted proposal must say beside its title."""


def days_from(now: dt.datetime, cycle: Cycle, clock: str) -> dt.datetime:
    """When the *clock* of the cycle (`assess_days` …), started *now*, runs out."""
    clocks = CLOCKS | (cycle.definition.get("clocks") or {})
    return now + dt.timedelta(days=clocks[clock])


def check_proposer(session: Session, cycle: Cycle, citizen_id: uuid.UUID) -> None:
    """See that the citizen may propose. Raises NotAProposer with the rule that is not met."""
    rule = rule_not_met(cycle, facts_of(session, citizen_id))
    if rule is not None:
        raise NotAProposer(rule)


Facts = dict[str, Attribute]


def facts_of(session: Session, citizen_id: uuid.UUID) -> Facts:
    """What is known of a citizen, by name."""
    known = select(Attribute).where(Attribute.citizen_id == citizen_id)
    return {fact.name: fact for fact in session.scalars(known)}


def rule_not_met(cycle: Cycle, facts: Facts) -> str | None:
    """Which rule keeps such a person from taking part, as author or in a committee."""
    rules = cycle.definition.get("proposers") or {}
    if any(name in facts and facts[name].value is True for name in rules.get("excluded", ())):
        return "excluded"
    return "basis" if basis_of(cycle, facts) is None else None


def basis_of(cycle: Cycle, facts: Facts) -> Attribute | None:
    """By which area the person belongs to the cycle: home before work, business, study."""
    rules = cycle.definition.get("proposers") or {}
    areas = set(rules.get("areas") or ())
    bases = (facts.get(f"{basis}_area") for basis in rules.get("basis", RESIDENTS.basis))
    belonging = (fact for fact in bases if fact and (not areas or areas & set(fact.lineage)))
    return next(belonging, None)


def amount_of(content: Content) -> int:
    """The sum of the cost items, in won."""
    return sum(item["amount"] for item in content.get("cost_items") or ())


def faults_in(cycle: Cycle, content: Content) -> list[Fault]:
    """Everything in *content* that the cycle's rules or arithmetic forbid."""
    return [*_wrong_items(content), *_wrong_place_in(cycle, content), *_too_dear(cycle, content)]


def _wrong_items(content: Content) -> Iterator[Fault]:
    for n, item in enumerate(content.get("cost_items") or ()):
        if item["quantity"] * item["unit_price"] != item["amount"]:
            yield Fault(
                f"/cost_items/{n}/amount", say("It is not the quantity times the price of a unit.")
            )


def _wrong_place_in(cycle: Cycle, content: Content) -> Iterator[Fault]:
    rules = cycle.definition
    headings = {heading["key"]: heading for heading in rules.get("headings") or ()}
    heading = content.get("heading")
    if heading is not None and heading not in headings:
        yield Fault("/heading", say("There is no such heading in this cycle."))
    above = lineage_of(list(headings.values()), heading)
    if any(headings[key].get("decided") == "elsewhere" for key in above):
        yield Fault("/heading", say("This heading is decided elsewhere."))
    kinds = {kind["key"] for kind in rules.get("kinds") or ()}
    kind = content.get("kind")
    if kind is not None and kind not in kinds:
        yield Fault("/kind", say("There is no such kind in this cycle."))
    may_be_organisations = (rules.get("proposers") or {}).get("organisations", False)
    if content.get("organisation") is not None and not may_be_organisations:
        yield Fault("/organisation", say("This cycle takes no proposals of organisations."))


def _too_dear(cycle: Cycle, content: Content) -> Iterator[Fault]:
    amount, most = amount_of(content), most_for(cycle, content.get("heading"), content.get("kind"))
    if amount > most:
        yield Fault(
            "/cost_items",
            say("Together {amount}, but at most {most} are allowed.", amount=amount, most=most),
        )


def most_for(cycle: Cycle, heading: str | None, kind: str | None) -> int:
    """What a project of that *heading* and *kind* may cost: the lowest cap that it falls under."""
    rules = cycle.definition
    above = set(lineage_of(rules.get("headings") or (), heading))
    caps = [
        cap["max"]
        for cap in rules.get("cost_caps") or ()
        if (cap.get("heading") is None or cap["heading"] in above)
        and (cap.get("kind") is None or cap["kind"] == kind)
    ]
    money = [each.get("limit") for each in rules.get("headings") or () if each["key"] in above]
    limits = [*caps, *money, cycle.budget_limit, DEAREST]
    lowest: int = min(limit for limit in limits if limit is not None)
    return lowest


def lineage_of(headings: Sequence[dict[str, Any]], key: str | None) -> list[str]:
    """A heading and all above it."""
    parents = {heading["key"]: heading.get("parent") for heading in headings}
    found: list[str] = []
    while key is not None and key in parents and key not in found:
        found.append(key)
        key = parents[key]
    return found


def missing_in(cycle: Cycle, content: Content) -> list[str]:
    """JSON pointers to what must still be said before it can be submitted."""
    needed = [name for name in NEEDED if name != "kind" or cycle.definition.get("kinds")]
    missing = [f"/{name}" for name in needed if not content.get(name)]
    if content.get("cost_items") and not amount_of(content):
        missing.append("/cost_items")
    return missing
