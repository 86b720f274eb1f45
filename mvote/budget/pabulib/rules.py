"""The rules that a .pb file can name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mvote.budget.allocating.model import Completion, Rule

COMPARISON = "-comparison"
GREEDY: dict[str, Literal["skip", "stop"]] = {
    "greedy": "skip",
    "greedy-no-skip": "stop",
    "greedy-threshold": "skip",
    "greedy-exclusive": "skip",
    "greedy-custom": "skip",
    "unknown": "skip",
}
SHARES: dict[str, Completion] = {
    "equalshares": "none",
    "equalshares/add1": "add1",
    "equalshares/add1u": "add1u",
}
NOTES = {
    "unknown": "The file does not say by which rule it was allocated; it is allocated greedily.",
    "greedy-custom": "The rule is the city's own (see the comment); it is allocated greedily.",
}
VOTE_TYPES = ("approval", "choose-1", "cumulative", "ordinal", "scoring")
APPROVALS = frozenset({"approval", "choose-1"})


@dataclass(frozen=True, slots=True)
class PbRule:
    """`note` says where the file's rule is not the one by which we allocate."""

    name: str
    rule: Rule
    note: str | None = None


def rule_named(name: str, *, step: int) -> PbRule | None:
    """The rule that the file calls *name*; *step* is one unit of its currency."""
    if name in GREEDY:
        return PbRule(name, Rule(on_no_fit=GREEDY[name], step=step), NOTES.get(name))
    shares = SHARES.get(name.removesuffix(COMPARISON))
    if shares is None:
        return None
    comparison = name.endswith(COMPARISON)
    rule = Rule("equal_shares", completion=shares, step=step, comparison=comparison)
    return PbRule(name, rule)


def name_of(rule: Rule) -> str:
    """What the format calls *rule*; what it has no name for is `greedy-custom`."""
    if rule.rule == "equal_shares":
        name = next(name for name, shares in SHARES.items() if shares == rule.completion)
        return name + COMPARISON if rule.comparison else name
    if rule.part_funding or (rule.on_no_fit == "stop" and rule.exclusive):
        return "greedy-custom"
    if rule.exclusive:
        return "greedy-exclusive"
    if rule.on_no_fit == "stop":
        return "greedy-no-skip"
    return "greedy" if rule.floor is None else "greedy-threshold"
