"""The rules of a cycle, typed: read from the JSON that a city writes."""

from mvote.budget.definition.ballots import Ballot, Bounds, Limit, Measure
from mvote.budget.definition.contests import (
    Allocation,
    Blend,
    Contest,
    Group,
    Source,
    SourceEligibility,
)
from mvote.budget.definition.headings import CostCap, Heading, Kind
from mvote.budget.definition.phases import Clocks, Phase, Proposers
from mvote.budget.definition.reading import read_definition
from mvote.budget.definition.review import Criterion, Decide, Majority, Quorum, Review
from mvote.budget.definition.tree import HeadingTree
from mvote.budget.definition.whole import Decision, Definition

__all__ = [
    "Allocation", "Ballot", "Blend", "Bounds", "Clocks", "Contest", "CostCap", "Criterion",
    "Decide", "Decision", "Definition", "Group", "Heading", "HeadingTree", "Kind", "Limit",
    "Majority", "Measure", "Phase", "Proposers", "Quorum", "Review", "Source",
    "SourceEligibility", "read_definition",
]  # fmt: skip
