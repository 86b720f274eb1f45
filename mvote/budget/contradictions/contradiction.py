"""One contradiction in a definition: what it is, where, and in words of two languages."""

from __future__ import annotations

from dataclasses import dataclass, field

from mvote.budget.contradictions.texts import TEXTS
from mvote.errors import Text


@dataclass(frozen=True)
class Contradiction:
    """*code* is stable; *pointer* is a JSON pointer (RFC 6901) into the definition."""

    code: str
    pointer: str
    #: what the text speaks of
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def text(self) -> Text:
        """Korean and English."""
        ko, en = TEXTS[self.code]
        return {"ko": ko.format(**self.facts), "en": en.format(**self.facts)}
