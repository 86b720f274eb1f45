"""Options that a voter cannot tell apart: same letters in another dress, or in another script."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Cyrillic and Greek letters that look like Latin ones in usual fonts (after Unicode's list of
# confusables, UTS 39). Capitals first: small, they may look like something else.
TWINS_OF_CAPITALS = str.maketrans(
    "АВЕЅІЈКМНОРСТУХ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "ABESIJKMHOPCTYX" + "ABEZHIKMNOPTYX",
)
TWINS = str.maketrans("аеорсухіјѕԁһӏԛԝ" + "ονικυ", "aeopcyxijsdhlqw" + "oviku")


def lookalikes(options: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    """Places of options whose title reads like an earlier one's in the same language."""
    seen: set[tuple[str, str]] = set()
    for place, option in enumerate(options):
        shown = {(language, skeleton(text)) for language, text in option["title"].items()}
        if shown & seen:
            yield place
        seen |= shown


def skeleton(text: str) -> str:
    """What *text* looks like: compatibility forms, case, spaces and twins of letters aside."""
    plain = unicodedata.normalize("NFKC", text).translate(TWINS_OF_CAPITALS)
    return "".join(plain.casefold().translate(TWINS).split())
