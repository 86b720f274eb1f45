"""Single values of a .pb file, and META: what is wrong is named with its row."""

from __future__ import annotations

from mvote.budget.pabulib.errors import BrokenPbFile
from mvote.budget.pabulib.faults import Faults
from mvote.budget.pabulib.money import Currency, shown
from mvote.budget.pabulib.rows import Row
from mvote.wording import say

NEEDED = ("num_projects", "num_votes", "budget", "vote_type", "rule")
MOST_NUMBER = 10**9


class Meta:
    """META's values, each with its line, so that what is wrong can be pointed at."""

    def __init__(self, line: int) -> None:
        self.values: dict[str, str] = {}
        self._lines: dict[str, int] = {}
        self._begins = line

    def take(self, row: Row) -> None:
        key, *values = row.cells
        if len(values) != 1:
            raise BrokenPbFile(
                row.line, say("META has 2 columns, this row {cells}", cells=len(row.cells))
            )
        if not key:
            raise BrokenPbFile(row.line, say("a value without a key"))
        if key in self.values:
            raise BrokenPbFile(
                row.line,
                say("{key} was there already, in row {value}", key=key, value=self._lines[key]),
            )
        self.values[key], self._lines[key] = values[0], row.line

    def line(self, key: str) -> int:
        return self._lines.get(key, self._begins)

    def complete(self, faults: Faults) -> None:
        """Note every key that is missing without which nothing can be allocated."""
        for key in NEEDED:
            if not self.values.get(key):
                faults.note(BrokenPbFile(self.line(key), say("META has no {key}", key=key)))

    def number(self, key: str) -> int | None:
        """A whole number, None where the key is missing or empty."""
        text = self.values.get(key, "")
        return whole(text, self.line(key), key) if text else None

    def money(self, key: str, currency: Currency) -> int:
        return amount(self.values[key], self.line(key), key, currency)


def whole(text: str, line: int, what: str) -> int:
    """*text* as a whole number from 0 to a billion. Raises BrokenPbFile."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MOST_NUMBER):
        problem = say(
            "{what} is {given}, not a whole number from 0 to {most}",
            what=what,
            given=shown(text),
            most=MOST_NUMBER,
        )
        raise BrokenPbFile(line, problem)
    return int(text)


def amount(text: str, line: int, what: str, currency: Currency) -> int:
    """*text* as money, in the smallest unit. Raises BrokenPbFile."""
    try:
        return currency.read(text)
    except ValueError as error:
        raise BrokenPbFile(line, say("{what}: {error}", what=what, error=error.args[0])) from None
