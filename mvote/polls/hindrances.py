"""What keeps a poll from opening, and what its author is only warned of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mvote.languages import side_by_side
from mvote.wording import say

TITLES = {
    "no-closing-time": say("There is no closing time."),
    "closes-in-the-past": say("The closing time has passed."),
    "period-too-long": say("Voting may last 366 days at most."),
    "opens-too-late": say("Voting must begin within 366 days."),
    "no-question": say("There is no question."),
    "too-few-options": say("At least two options are needed."),
    "more-selections-than-options": say("More selections are allowed than there are options."),
    "options-look-alike": say("This option looks like another one."),
    "image-foreign": say(
        "It lies elsewhere. Send it with `POST /images`, and name it by what that answers."
    ),
    "image-missing": say("There is no such picture; send it first."),
    "no-area": say("There is no area."),
    "unknown-area": say("No area has this code."),
    "no-sealing-key": say("The counter has no sealing key in stock. Try again in a moment."),
    "keystore-away": say("Keys cannot be kept safely now. Try again in a moment."),
    "no-trustee-key": say("Name the trustees' key."),
    "unknown-trustee-key": say("No trustees have passed a drill with this key."),
    "trustee-key-used": say("This key serves another poll; a key serves one poll only."),
    "trustees-for-government": say("Only a government's poll can have trustees."),
    "live-with-trustees": say(
        "With trustees nobody can count while the poll is open: no live results."
    ),
    "live-with-ranking": say("Rankings are counted when all are in: no live results."),
    "custody-is-server": say("A trustees' key needs custody `trustees`."),
    "proposing-open": say("Proposals are still taken."),
    "too-many-projects": say("A ballot holds 1,000 projects at most."),
    "nothing-to-mark": say("The limits leave nothing to be marked."),
    "limit-never-met": say("With the projects on the ballot nobody could keep to this limit."),
    "exclusive-set-never-funded": say(
        "No project of this set can ever be funded within the limits."
    ),
    "exclusive-not-on-ballot": say(
        "A set of which one project at most is funded names what is not on the ballot."
    ),
    "exclusive-without-effect": say(
        "Fewer than two projects on the ballot are in this set, so it excludes nothing. Which"
        " projects a group holds is said when the first poll is opened."
    ),
    "statement-not-sealed": say(
        "A survey's statement is not sealed yet; once the first poll opens it cannot be any more."
    ),
    "few-ballots-greedy": say(
        "Should fewer than 50 ballots come, they are not shown one by one: then projects are funded"
        " in the order of their votes (greedy), not by equal shares."
    ),
    "few-ballots-block": say(
        "Should fewer than 50 ballots come, they are not shown one by one: then equal shares cannot"
        " be worked out, and nothing is allocated."
    ),
    "roll-empty": say("Nobody is on this roll."),
    "roll-numbers-left-out": say(
        "Numbers of the list that still count for somebody who had them before are left out."
        " Whoever has them now is on the roll only after signing in, before it is made."
    ),
    "no-roll": say("There is no roll yet: import one first."),
    "roll-not-asked": say(
        "A roll was imported, but eligibility does not ask for it: anybody could vote."
    ),
    "roll-too-small": say(
        "Fewer people are on the roll than ballots are needed for a result to be shown."
    ),
    "no-platform": say(
        "This server asks no platform to vouch for apps, so that no position would be taken."
    ),
    "similar-polls": say("Polls that ask nearly the same are open or announced."),
    "narrow-area": say(
        "The area is narrower than 150 m: phones can hardly tell inside from outside."
    ),
}


@dataclass(frozen=True)
class Hindrance:
    """One hindrance or warning: a stable code, and the place in the poll (a JSON pointer)."""

    code: str
    pointer: str

    def shown(self) -> dict[str, Any]:
        """As it stands in the answer."""
        return {
            "code": self.code,
            "title": side_by_side(TITLES[self.code]),
            "pointer": self.pointer,
        }
