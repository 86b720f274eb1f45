"""The Korean font that is embedded in what is printed, and what of a text it can show."""

from __future__ import annotations

import unicodedata
from collections.abc import Container
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont

FONTS = "pylopdf_fonts_ko"
"""The package with Google's Noto Sans KR (SIL Open Font License 1.1)."""
FAMILY, FILE = "Noto Sans KR", "NotoSansKR-Regular.otf"
MISSING = "□"
"""Stands for a sign that the font does not have."""


def korean_font() -> Path:
    """Where the font lies that is embedded. Raises LookupError."""
    found = find_spec(FONTS)
    if found is None or found.origin is None:
        raise LookupError(f"no Korean font: {FONTS} is not installed")
    return Path(found.origin).with_name(FILE)


@cache
def signs_of(font: Path) -> frozenset[str]:
    """Every character that the font has a picture of."""
    with TTFont(font, lazy=True) as opened:
        return frozenset(map(chr, opened.getBestCmap()))


def printable(value: Any, signs: Container[str]) -> Any:
    """*value* with only what the font can show, in all its texts: PDF/UA allows nothing else."""
    if isinstance(value, str):
        return "".join(_shown(sign, signs) for sign in value)
    if isinstance(value, list):
        return [printable(each, signs) for each in value]
    if isinstance(value, dict):
        return {name: printable(each, signs) for name, each in value.items()}
    return value


def _shown(sign: str, signs: Container[str]) -> str:
    """What joins, marks or selects goes; another unknown sign leaves a box where it stood."""
    kind = unicodedata.category(sign)
    if kind in ("Cc", "Cf", "Co", "Zl", "Zp"):
        return " " if sign.isspace() else ""
    if sign in signs:
        return sign
    return "" if kind.startswith("M") else MISSING
