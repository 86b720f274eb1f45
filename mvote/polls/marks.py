"""What texts of polls are compared by: Korean by pairs of syllables, all else by its words.

Pairs of letters would not do for English: there are so few that any two sentences share many. So
its words are compared, without those that stand in every sentence and without a plural's ending.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from mvote.budget.bigrams import bigrams, similarity

FUNCTION_WORDS = frozenset({
    "a", "about", "all", "an", "and", "any", "are", "as", "at", "be", "been", "by", "can", "could",
    "do", "does", "for", "from", "have", "how", "i", "if", "in", "into", "is", "it", "its", "let",
    "not", "of", "on", "or", "our", "shall", "should", "so", "that", "the", "their", "there",
    "these", "this", "those", "to", "was", "we", "what", "when", "where", "which", "who", "why",
    "will", "with", "would", "you", "your",
})  # fmt: skip
LONGEST_WITHOUT_PLURAL = 3
_WORD = re.compile(r"[^\W_]+")
_HANGUL = re.compile("[\uac00-\ud7a3]")


class Marks(NamedTuple):
    """Each ascending, as PostgreSQL's `integer[]`; empty where there is no such text."""

    pairs: list[int]
    words: list[int]


def marks_of(text: Mapping[str, str] | None) -> Marks:
    """Those of a text in one language or two, whatever it calls them."""
    texts = [each for each in (text or {}).values() if each]
    korean = [each for each in texts if _HANGUL.search(each)]
    others = [each for each in texts if not _HANGUL.search(each)]
    return Marks(bigrams(korean[0]) if korean else [], words(others[0]) if others else [])


def words(text: str) -> list[int]:
    """The words of *text* that say what it is about, each once, as a 32-bit number (CRC-32).

    Two words with one number would make a hint too many, and no more.
    """
    found = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    told = {_singular(word) for word in found if word not in FUNCTION_WORDS}
    return sorted(zlib.crc32(word.encode()) - 2**31 for word in told)


def _singular(word: str) -> str:
    is_plural = len(word) > LONGEST_WITHOUT_PLURAL and word.endswith("s") and word[-2] != "s"
    return word.removesuffix("s") if is_plural else word


def likeness(one: Marks, other: Marks) -> float | None:
    """How alike two texts are, 0 to 1, in the language in which they are most; None without one."""
    together = zip(one, other, strict=True)
    return max((float(similarity(a, b)) for a, b in together if a and b), default=None)
