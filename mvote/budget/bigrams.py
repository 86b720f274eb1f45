"""Which Korean texts are alike: pairs of neighbouring syllables, without a dictionary.

PostgreSQL has no configuration for Korean, and `pg_trgm` knows no Hangul under a C locale. Pairs
of syllables suit a language of short stems that are written together or apart at will:
"버스정류장" and "버스 정류소" share 버스, 스정, 정류. Particles are cut off the words first,
spaces do not count.

A pair is kept as one 32-bit number, so a column is `int[]` with a GIN index, and no locale takes
part in comparing.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction

PARTICLES = (
    "에서부터", "으로부터", "에서의", "으로의", "에서", "에게", "께서", "으로", "까지", "부터",
    "처럼", "보다", "마다", "에는", "에도", "와의", "과의", "을", "를", "은", "는",
    "의", "에", "와",
)  # fmt: skip
"""Longest first. Not 이, 가, 로, 도, 만, 과: too many nouns end with them (어린이, 인도)."""
NOUNS = ("마을", "가을", "회의", "강의", "협의", "논의", "문의")
"""They end like a particle and keep their end."""
SHORTEST_STEM = 2
ALIKE = Fraction(2, 5)
"""From here on two titles are shown as similar."""
_WORD = re.compile(r"[^\W_]+")
_HANGUL = re.compile(r"[가-힣]+")
_PLANE = 0x10000


def stem(word: str) -> str:
    """*word* without its particle, if two syllables remain: 그늘막을 → 그늘막, but 마을 stays."""
    for particle in PARTICLES if not word.endswith(NOUNS) else ():
        if word.endswith(particle) and len(word) - len(particle) >= SHORTEST_STEM:
            return word.removesuffix(particle)
    return word


def normalised(text: str) -> str:
    """Composed (as by NFC; full and half widths alike), lower case, letters and digits, stems."""
    composed = unicodedata.normalize("NFKC", text).casefold()
    words = _WORD.findall(composed)
    return "".join(stem(word) if _HANGUL.fullmatch(word) else word for word in words)


def bigrams(text: str) -> list[int]:
    """The pairs of neighbouring signs in *text*, each once, ascending, as PostgreSQL's `integer`.

    A pair (a, b) is a·65,536 + b − 2³¹: one number for one pair. Signs beyond U+FFFF are left out.
    """
    signs = [ord(sign) for sign in normalised(text) if ord(sign) < _PLANE]
    pairs = itertools.pairwise(signs)
    return sorted({first * _PLANE + second - 2**31 for first, second in pairs})


def similarity(one: list[int], other: list[int]) -> Fraction:
    """Twice what both have, by what each has (Dice 1945): 0 for nothing in common, 1 for alike."""
    together = len(one) + len(other)
    return Fraction(2 * len({*one} & {*other}), together) if together else Fraction(0)


def least_in_common(size: int, alike: Fraction = ALIKE) -> int:
    """How many of *size* bigrams any text shares that is at least *alike*.

    From 2·c / (size + n) ≥ alike and n ≥ c: c ≥ alike·size / (2 − alike).
    """
    needed = alike * size / (2 - alike)
    return max(1, -(-needed.numerator // needed.denominator))


def must_have_one_of(wanted: list[int], frequency: Mapping[int, float]) -> list[int]:
    """The rarest of *wanted*, of which every text that is alike has at least one.

    Whoever shares c of them lacks only so many: of any `len(wanted) − c + 1` it has one. Asking the
    index for these spares it the bigrams that half of all proposals have (설치). *frequency* may be
    a guess; a wrong one costs time and changes no answer.
    """
    rarest_first = sorted(wanted, key=lambda each: (frequency.get(each, 0), each))
    return rarest_first[: len(wanted) - least_in_common(len(wanted)) + 1]
