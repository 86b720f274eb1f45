"""What the libraries below us say is wrong with a request, as sentences that we can translate."""

from __future__ import annotations

import re
from functools import lru_cache

from mvote.wording import PLACE, Message, say

SENTENCES = (
    say("Field may not be null."),
    say("Invalid input type."),
    say("Invalid type."),
    say("Invalid value."),
    say("Length must be {equal}."),
    say("Length must be between {min} and {max}."),
    say("Longer than maximum length {max}."),
    say("Missing data for required field."),
    say("Must be equal to {other}."),
    say("Must be greater than or equal to {min}."),
    say("Must be greater than or equal to {min} and less than or equal to {max}."),
    say("Must be greater than {min} and less than or equal to {max}."),
    say("Must be greater than or equal to {min} and less than {max}."),
    say("Must be greater than {min} and less than {max}."),
    say("Must be greater than {min}."),
    say("Must be less than or equal to {max}."),
    say("Must be less than {max}."),
    say("Must be one of: {choices}."),
    say("Not a valid boolean."),
    say("Not a valid date."),
    say("Not a valid integer."),
    say("Not a valid list."),
    say("Not a valid mapping type."),
    say("Not a valid number."),
    say("Not a valid string."),
    say("Not a valid utf-8 string."),
    say("Not a valid UUID."),
    say("Number too large."),
    say("Shorter than minimum length {min}."),
    say("Special numeric values (nan or infinity) are not permitted."),
    say("Unknown field."),
    say('"{input}" cannot be formatted as a date.'),
)
NUMBER = re.compile(r"-?[0-9]{1,15}")


def _form(sentence: Message) -> re.Pattern[str]:
    pieces = PLACE.split(sentence.template)  # text, name, text, …
    pattern = "".join(
        f"(?P<{piece}>.+)" if n % 2 else re.escape(piece) for n, piece in enumerate(pieces)
    )
    return re.compile(pattern, re.DOTALL)


# The longest first: what stands in a place may be anything, also the rest of a longer sentence.
FORMS = tuple(
    (_form(sentence), sentence)
    for sentence in sorted(SENTENCES, key=lambda each: len(each.template), reverse=True)
)


def understood(text: str) -> Message:
    """*text* as a sentence that can be said in other languages, if it is one that we know."""
    return text if isinstance(text, Message) else _recognised(text)


@lru_cache(maxsize=1_000)
def _recognised(text: str) -> Message:
    for form, sentence in FORMS:
        if found := form.fullmatch(text):
            facts = {name: _fact(said) for name, said in found.groupdict().items()}
            return sentence.format(**facts)
    return Message(text)


def _fact(said: str) -> str | int:
    return int(said) if NUMBER.fullmatch(said) else said
