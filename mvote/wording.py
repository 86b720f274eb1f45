"""Sentences that can be said in other languages: English in the code, the rest in `translations/`.

A sentence is marked where it stands, with the facts it speaks of; who shows it says it in the
language of whoever reads (`mvote.languages`). Until then it is an English text like any other.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

Fact = object
"""What a sentence may speak of. Numbers and days are written as each language writes them: what
only looks like a number (a year, an id) comes as text. An instant is shown in the zone it has."""
PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
"""Where a fact stands in a sentence; other braces mean themselves."""


class Message(str):
    """An English text that knows what it was made of, so that it can be said in other words."""

    __slots__ = ("facts", "many", "number", "template")
    template: str
    many: str | None
    number: int
    facts: Mapping[str, Fact]

    def __new__(
        cls,
        template: str,
        facts: Mapping[str, Fact] | None = None,
        *,
        many: str | None = None,
        number: int = 1,
    ) -> Self:
        chosen = template if many is None or number == 1 else many
        made = super().__new__(cls, filled(chosen, facts or {}, _in_plain_english))
        made.template, made.many, made.number = template, many, number
        made.facts = facts or {}
        return made

    def __reduce__(self) -> Any:
        return _made_again, (self.template, dict(self.facts), self.many, self.number)

    def format(self, *_: object, **facts: Any) -> Message:
        """The sentence with those of the *facts* that it speaks of; validators call it."""
        wanted = {name: facts[name] for name in PLACE.findall(self.template) if name in facts}
        return Message(self.template, {**self.facts, **wanted}, many=self.many, number=self.number)


def say(sentence: str, /, **facts: Fact) -> Message:
    """*sentence* for the catalogues of all languages, with its facts in the places `{name}`."""
    return Message(sentence, facts)


def say_number(one: str, many: str, /, number: int, **facts: Fact) -> Message:
    """The same where a language says it otherwise of one, a few or many: `{number}` is the fact."""
    return Message(one, {"number": number, **facts}, many=many, number=number)


def one_after_another(sentences: Sequence[Message]) -> Message:
    """Several sentences as one, with semicolons between."""
    facts = {f"sentence_{n}": sentence for n, sentence in enumerate(sentences)}
    return Message("; ".join(f"{{{name}}}" for name in facts), facts)


def filled(sentence: str, facts: Mapping[str, Fact], shown: Callable[[Fact], str]) -> str:
    """*sentence* with each fact, as *shown* shows it, in its place."""
    if not facts:
        return sentence
    return PLACE.sub(lambda place: _in_place(place, facts, shown), sentence)


def counted(number: int, one: str, many: str | None = None) -> str:
    """*number* with its noun in English: `1 share`, `2 shares`; *many* if not with an s.

    For those who run the programs; what citizens read is said by `say_number`.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _in_place(place: re.Match[str], facts: Mapping[str, Fact], shown: Callable[[Fact], str]) -> str:
    return shown(facts[place[1]]) if place[1] in facts else place[0]


def _in_plain_english(fact: Fact) -> str:
    if isinstance(fact, int):
        return f"{fact:,}"
    if isinstance(fact, dt.datetime):
        return f"{fact:%Y-%m-%d %H:%M}"
    if isinstance(fact, list | tuple):
        return ", ".join(map(_in_plain_english, fact))
    return str(fact)


def _made_again(template: str, facts: Mapping[str, Fact], many: str | None, number: int) -> Message:
    return Message(template, facts, many=many, number=number)
