"""The simplest parts of a definition, each with what it may be.

A type carries its bounds as annotations: the API's schema and the contract are made from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from mvote.errors import Text
from mvote.wording import say


@dataclass(frozen=True)
class Matching:
    """A text that fits a pattern as a whole; *error* says so to whoever sent another."""

    pattern: str
    error: str


@dataclass(frozen=True)
class Between:
    """A number from *least* to *most*, or so many items of a list."""

    least: int
    most: int


@dataclass(frozen=True)
class Longest:
    """A text in each language of so many characters at most."""

    characters: int


Key = Annotated[str, Matching(r"[A-Za-z0-9_-]{1,40}", say("1 to 40 letters, digits, - or _."))]
"""Names a part of the definition."""
Name = Annotated[
    str, Matching(r"[A-Za-z0-9_.:-]{1,60}", say("1 to 60 letters, digits, - _ . or :."))
]
"""A key, or the reference of a project."""
AreaCode = Annotated[str, Matching(r"[0-9A-Za-z-]{1,20}", say("Not an area's code."))]
Currency = Annotated[str, Matching(r"[A-Z]{3}", say("Three capital letters (ISO 4217)."))]
Title = Annotated[Text, Longest(200)]
Words = Annotated[Text, Longest(5_000)]
Money = Annotated[int, Between(0, 10**15)]
"""In whole units of the currency."""
Count = Annotated[int, Between(0, 1_000)]
"""Of projects: a ballot has up to 1,000."""
Days = Annotated[int, Between(0, 366)]
Share = Annotated[
    Fraction, Matching(r"[0-9]{1,9}/[1-9][0-9]{0,8}", say("A share like 30/100, in digits."))
]
"""`"30/100"` in JSON; exact."""
Score = Annotated[Fraction, Between(0, 10**9)]
"""A whole number, or a share."""
