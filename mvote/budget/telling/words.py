"""What bulletins say; times are the city's."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from mvote.budget.telling.bulletin import Kind
from mvote.budget.telling.inbox import Received
from mvote.languages import best_of, said
from mvote.moderation.case import GROUND_NAMES
from mvote.wording import Message, say

OF_ONE: dict[Kind, Message] = {
    "returned": say("It was sent back to you. Please submit it again, revised, by {due}."),
    "lapsed": say("It was not submitted again in time and has lapsed."),
    "under_review": say("The committee is reviewing it."),
    "approved": say("The committee has approved it."),
    "rejected": say("It was rejected; the reasons stand with the proposal."),
    "withdrawn": say("Its authors have withdrawn it."),
    "merged": say("It was merged into another proposal, with all who support it."),
    "split": say("It was split into several proposals, with all who support it."),
    "on_ballot": say("It is on the ballot."),
    "struck": say("It was struck from the ballot; the reason stands with the proposal."),
    "funded": say("It will be funded."),
    "reserve": say("It is on the reserve list."),
    "not_funded": say("It will not be funded this time."),
    "enacted": say("Its budget is enacted; the city will build it."),
    "reduced": say("Its budget is enacted with a smaller amount."),
    "dropped": say("It was dropped."),
    "update": say("There is news of how far it is."),
    "assessment_overdue": say("Its assessment was due by {due}. That it is overdue is public."),
    "delivery_overdue": say(
        "Its delivery is late: something was due by {due}. That it is overdue is public."
    ),
}
OF_SEAT: dict[Kind, Message] = {
    "moved_up": say(
        "You have moved up from the reserves: yours is seat {number} of {committee}, after seat"
        " {predecessor}."
    ),
    "sworn_in": say(
        "You are sworn in to judge it, because too few others may: yours is seat {number} of"
        " {committee}, for this one item. It waits for your vote."
    ),
}
OF_POLL: dict[Kind, Message] = {
    "poll_held_back": say(
        "It is left out of the lists until an officer has looked at what was reported"
        " ({grounds}). Voting by its link goes on."
    ),
    "poll_hold_expired": say(
        "It is in the lists again: no officer has looked at what was reported in time. One still"
        " will."
    ),
    "poll_released": say(
        "An officer has looked at what was reported ({grounds}): it is in the lists. The reason:"
        " {reason}"
    ),
    "poll_kept_out": say(
        "An officer has looked at what was reported ({grounds}): it is left out of the lists."
        " Voting by its link goes on. The reason: {reason}"
    ),
    "poll_roll_given_up": say(
        "For {days} days nobody has touched this draft: the numbers on its roll, and those kept for"
        " invitations, are deleted. The draft stays; it can be given a roll again."
    ),
    "poll_codes_revoked": say(
        "An officer has revoked its codes at {site}, as those of all private polls there. Codes for"
        " another place can be made. The reason: {reason}"
    ),
}
OF_SEVERAL: dict[Kind, Message] = {
    "on_ballot": say("Projects on the ballot: {count}."),
    "struck": say("Projects struck from the ballot: {count}."),
    "funded": say("Projects that will be funded: {count}."),
    "enacted": say("Projects whose budget is enacted: {count}."),
    "reduced": say("Projects enacted with a smaller budget: {count}."),
    "dropped": say("Projects that were dropped: {count}."),
    "update": say("Projects with news of how far they are: {count}."),
}


def told(received: Received, language: str) -> str:
    """The bulletin in *language*, what it is about first."""
    bulletin = received.bulletin
    if bulletin.poll_id is not None:
        sentence = OF_POLL[bulletin.kind].format(**_facts_of_poll(bulletin.facts, language))
        return f"{_about(received, language)}: {said(sentence, language)}"
    if bulletin.seat_id is not None:
        in_words = bulletin.facts | {"committee": best_of(bulletin.facts["committee"], language)[0]}
        sentence = OF_SEAT[bulletin.kind].format(**in_words)
        return f"{_about(received, language)}: {said(sentence, language)}"
    forms = OF_ONE if bulletin.proposal_id else OF_SEVERAL
    facts: dict[str, object] = {"count": bulletin.facts.get("count", 1)}
    if bulletin.due_at is not None:
        facts["due"] = bulletin.due_at.astimezone(ZoneInfo(received.time_zone or "UTC"))
    return f"{_about(received, language)}: {said(forms[bulletin.kind].format(**facts), language)}"


def _facts_of_poll(facts: dict[str, Any], language: str) -> dict[str, object]:
    counted = sorted(facts.get("grounds", {}).items(), key=lambda each: (-each[1], each[0]))
    grounds = [
        say("{ground}: {count}", ground=GROUND_NAMES[ground], count=count)
        for ground, count in counted
    ]
    texts = {name: facts.get(name) for name in ("reason", "site")}
    said_by = {name: best_of(text, language)[0] if text else "" for name, text in texts.items()}
    return {"grounds": grounds, "days": facts.get("days")} | said_by


def _about(received: Received, language: str) -> str:
    """`[2027-0001] its title`, or the cycle's or poll's; in a language that is not there, the
    other."""
    title = received.title or received.cycle_title or received.poll_title or {}
    mark = f"[{received.reference}] " if received.reference else ""
    return mark + (best_of(title, language)[0] if title else "")
