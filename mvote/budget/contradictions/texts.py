"""What can contradict itself in a definition, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mvote.budget.limits import NAMES
from mvote.wording import Message, say

PHASES = {
    "proposing": say("proposing"),
    "assessing": say("assessing"),
    "reviewing": say("reviewing"),
    "balloting": say("balloting"),
    "deciding": say("deciding"),
    "delivering": say("delivering"),
}
WORDS: Mapping[str, Mapping[Any, Message]] = {"phase": PHASES, "other": PHASES, "measure": NAMES}
"""Facts that are words of the code, as people read them."""
TEXTS = {
    # money
    "key-repeated": say("The key {key} is used before."),
    "unknown-heading": say("There is no heading {key}."),
    "unknown-kind": say("There is no kind {key}."),
    "unknown-parent": say("There is no heading {key} to be under."),
    "headings-in-a-circle": say("The line of parents of {key} comes back to itself."),
    "headings-too-deep": say("Headings lie {deepest} levels deep at most."),
    "limit-above-parent": say("This limit is higher than {above}, the one above it."),
    "heading-without-money": say("There is no money for the heading {key}."),
    "heading-without-limit": say("Other headings have limits, but none is on {key} or above it."),
    "leftover-without-parent": say("There is no limit above that could take what is left."),
    "cap-repeated": say("There is a cap for the same heading and kind before."),
    "cap-of-nothing": say("With a cap of nothing no project could be proposed."),
    "cap-above-limit": say(
        "The cap is higher than the limit {above}: it lets in what can never be funded."
    ),
    "cap-above-wider-cap": say(
        "A wider cap of {above} binds first, so this one says something else."
    ),
    # phases
    "phase-repeated": say("This phase is there twice."),
    "phase-ends-before-it-begins": say("It must end later than it begins."),
    "phases-overlap": say("It overlaps with the phase {other}."),
    "phases-out-of-order": say("It must come after the phase {other}."),
    "no-phase-for-it": say("There is no phase {phase} for it."),
    "phase-without-use": say("Nothing is defined that this phase could be for."),
    # review
    "fraction-never-exceeded": say("Nothing can be more than {share} of all."),
    "same-body": say("{body} judges already; this must be other people."),
    "list-without-a-shortlist": say("Only a shortlist has a number of projects."),
    "nothing-weighs": say("All weights are zero."),
    # contests
    "heading-decided-elsewhere": say("The heading {key} is decided elsewhere."),
    "heading-in-two-contests": say(
        "The heading {key} is decided on before, here or in another contest."
    ),
    "heading-in-no-contest": say("No contest decides on the heading {key}."),
    "contests-overspend": say(
        "Together the contests may spend {sum}, more than the {above} they share."
    ),
    "contest-without-limit": say(
        "Several contests share one limit, but the part of the heading {key} is not said."
    ),
    "contest-without-a-poll": say("No source of this contest is a poll."),
    "source-outside-balloting": say(
        "It lies outside the phase of balloting ({opens_at} to {closes_at})."
    ),
    "source-ends-before-it-begins": say("It must end later than it begins."),
    "statement-is-no-poll": say("A statement has no {member}."),
    "poll-is-no-statement": say("A poll has no {member}."),
    "ages-exclude-everyone": say("min_age is higher than max_age: nobody could vote."),
    "full-records-of-a-roll": say("Of those on a roll only totals are kept."),
    "full-records-without-need": say("The rule needs totals only, so no more is kept."),
    # ballots
    "limit-without-bounds": say("Nothing is limited here."),
    "min-above-max": say("min {min} is above max {max}."),
    "share-above-one": say("A share is one at most."),
    "share-beside-numbers": say("A share stands alone, without min and max."),
    "share-counts-only": say("A share is one of a count, and not over each:heading."),
    "unknown-group": say("There is no group {key}."),
    "heading-outside-contest": say("The heading {key} is not in this contest."),
    "never-satisfied": say(
        "No ballot can keep to it: at least {least} and at most {most} ({measure})."
    ),
    "measure-of-another-method": say("A ballot of the method {method} has no limit on {measure}."),
    "measure-missing": say("The method {method} needs a most for {measure} over all."),
    # outcome
    "no-scale": say("of_scale needs the scale: most points for one project."),
    "scale-without-use": say("Only of_scale has a scale."),
    "scores-without-points": say("Only ballots with points can be scored of_scale."),
    "share-needs-approvals": say(
        "share_of_ballots needs ballots that give a project one vote: not points, not ranking."
    ),
    "equal-shares-need-approval": say("Equal shares need approval ballots."),
    "equal-shares-need-one-pot": say(
        "Equal shares divide one pot of money: one limit, none beneath it."
    ),
    "equal-shares-need-one-poll": say("Equal shares need exactly one source, a poll."),
    "equal-shares-need-full-records": say("Equal shares need full records."),
    "part-funding-needs-greedy": say("Only the greedy rule funds a part."),
    "only-of-equal-shares": say("Only equal shares have {member}."),
    "step-of-nothing": say("It must be more than nothing."),
    "unknown-tie": say("{key} is no source of this contest, nor lower_cost or lot."),
    "tie-repeated": say("{key} is there before."),
    "unknown-comparison": say("There is no rule {key} to compare with."),
    "exclusive-set-of-one": say("A set that excludes needs two projects, or a group."),
    "no-project-funded": say("With no projects at most, nothing could be funded."),
    "exclusive-set-never-funded": say(
        "No project of this set can ever be funded within the limits."
    ),
}
"""By code; with what is spoken of in braces."""
