"""Phone numbers as organisers write them, and as Excel leaves them behind."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata

from mvote.errors import InvalidRequest
from mvote.people.phones import REACHABLE, read_number
from mvote.polls.rolls.cells import Cell, NoValue

QUOTES = "'’‘`´\"“”"
QUOTED = re.compile(r'="([^"]*)"')
"""How one keeps Excel from dropping a 0 in CSV: a formula that is nothing but a text."""
BETWEEN = re.compile(r"[\s\-.()·‐‑‒–—―−~\u00ad\u200b-\u200f\u2060\ufeff]+")
SEVERAL = re.compile(r"\d[\s)]*[/,;\n|&]\s*[+(]?\d")
WHOLE = re.compile(r"(\d+)\.0+")
WITH_EXPONENT = re.compile(r"(\d)(?:\.(\d+))?[eE]\+?(\d{1,2})")
KOREAN_WITHOUT_0 = re.compile(r"1[016789]\d{7,8}")
KOREAN_DIGITS = 10
PLAIN = re.compile(r"\+?\d{8,15}")


class Read(NamedTuple):
    """A number as E.164, or the reason why there is none."""

    number: str | None
    reason: str | None = None


class Numbers:
    """Reads numbers, those without a country as of *region*; agrees with `read_number`."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._country = str(phonenumbers.country_code_for_region(region))
        described = PhoneMetadata.metadata_for_region(region)
        kinds = (described.mobile, described.fixed_line) if described else ()
        patterns = [kind.national_number_pattern if kind else None for kind in kinds]
        mobile, fixed = (re.compile(each) if each else None for each in (patterns or [None] * 2))
        #: what is of both kinds is for the slow way to tell
        self._mobile = mobile if described and mobile and fixed != mobile else None

    def read(self, cell: Cell | None) -> Read:
        """The number in *cell*."""
        if isinstance(cell, NoValue):
            return Read(None, cell.reason)
        text = unicodedata.normalize("NFKC", cell or "").strip()
        if not text:
            return Read(None, "empty")
        quoted = QUOTED.fullmatch(text)
        if text.startswith("=") and not quoted:
            return Read(None, "formula")
        return self._read(quoted[1] if quoted else text.strip(QUOTES))

    def _read(self, text: str) -> Read:
        if SEVERAL.search(text):
            return Read(None, "several_numbers")
        if whole := WHOLE.fullmatch(text):
            text = whole[1]
        elif exponent := WITH_EXPONENT.fullmatch(text):
            digits, places = exponent[1] + (exponent[2] or ""), int(exponent[3])
            if len(digits) != places + 1:
                return Read(None, "digits_lost")
            text = digits
        digits = BETWEEN.sub("", text)
        if not PLAIN.fullmatch(digits):
            return Read(None, "not_a_number")
        return self._of_digits(digits)

    def _of_digits(self, digits: str) -> Read:
        national = self._national(digits)
        if national and self._is_cut_short(national):
            return Read(None, "not_a_number")
        if national and self._mobile and self._mobile.fullmatch(national):
            return Read(f"+{self._country}{national}")
        return self._slowly(f"+{self._country}{national}" if national else digits)

    def _is_cut_short(self, national: str) -> bool:
        """Whether a digit of 010-xxxx-xxxx is missing, which libphonenumber lets pass."""
        return self._region == "KR" and national.startswith("10") and len(national) != KOREAN_DIGITS

    def _national(self, digits: str) -> str | None:
        """The number without its country and the 0 before it; None if it is of another country."""
        own = self._country
        for international in ("+", "00"):
            if digits.startswith(international):
                rest = digits.removeprefix(international)
                return rest.removeprefix(own).removeprefix("0") if rest.startswith(own) else None
        if self._region != "KR":
            return None
        if digits.startswith(own + "1"):
            return digits.removeprefix(own)
        if KOREAN_WITHOUT_0.fullmatch(digits):
            return digits
        return digits.removeprefix("0") if digits.startswith("0") else None

    def _slowly(self, text: str) -> Read:
        text = "+" + text.removeprefix("00") if text.startswith("00") else text
        try:
            return Read(read_number(text, region=self._region))
        except InvalidRequest:
            return Read(None, "not_mobile" if self._is_other(text) else "not_a_number")

    def _is_other(self, text: str) -> bool:
        """Whether it is a number, though of no mobile phone."""
        try:
            number = phonenumbers.parse(text, self._region)
        except phonenumbers.NumberParseException:
            return False
        kind = phonenumbers.number_type(number)
        return phonenumbers.is_valid_number(number) and kind not in REACHABLE
