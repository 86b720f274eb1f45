"""Amounts of a .pb file, in whole numbers of the currency's smallest unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mvote.wording import say

MOST = 10**15
"""In the smallest unit; more is a slip of the hand."""
PLACES = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
     "VUV", "XAF", "XOF", "XPF"), 0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)  # fmt: skip
"""Decimal places of the smallest unit by ISO 4217, where they are not 2."""
USUAL_PLACES = 2
_AMOUNT = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?")


@dataclass(frozen=True, slots=True)
class Currency:
    """`code` is empty where the file names none."""

    code: str

    @property
    def places(self) -> int:
        return PLACES.get(self.code, USUAL_PLACES)

    @property
    def unit(self) -> int:
        """One unit of the currency (a euro, a won) in its smallest units."""
        return int(10**self.places)

    def read(self, text: str) -> int:
        """*text* in smallest units. Raises ValueError that says what is wrong with it."""
        found = _AMOUNT.fullmatch(text)
        if found is None:
            raise ValueError(say("{given} is no amount of money", given=shown(text)))
        decimals = (found[2] or "").rstrip("0")
        if len(decimals) > self.places:
            raise ValueError(
                say("{given} is finer than the currency's smallest unit", given=shown(text))
            )
        amount = int(found[1]) * self.unit + int(decimals.ljust(self.places, "0") or 0)
        if not 0 < amount <= MOST:
            raise ValueError(say("{given} is no sensible amount of money", given=shown(text)))
        return amount

    def written(self, amount: int) -> str:
        """*amount* as the format writes it: decimals only where there are any."""
        whole, rest = divmod(amount, self.unit)
        return f"{whole}.{rest:0{self.places}}" if rest else str(whole)


def shown(text: str) -> str:
    """*text* in quotes, cut off where it is long: for what is said about it."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
