"""What somebody must do on the spot to vote, for each kind of code."""

from __future__ import annotations

from mvote.polls.site_codes import CodeKind
from mvote.wording import Message, say

HINTS: dict[CodeKind, Message] = {
    "link": say("To vote, the app checks that you are here."),
    "rotating": say("To vote, scan the code on the screen here."),
    "steward": say("To vote, ask the steward here for a slip."),
}
