"""One contradiction in a definition: what it is, where, and in words."""

from __future__ import annotations

from dataclasses import dataclass, field

from mvote.budget.contradictions.texts import TEXTS, WORDS
from mvote.wording import Message


@dataclass(frozen=True)
class Contradiction:
    """*code* is stable; *pointer* is a JSON pointer (RFC 6901) into the definition."""

    code: str
    pointer: str
    #: what the text speaks of
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def text(self) -> Message:
        """What is wrong, in words."""
        facts = {
            name: WORDS.get(name, {}).get(str(fact), fact) for name, fact in self.facts.items()
        }
        return TEXTS[self.code].format(**facts)
