"""Asking trustees for their shares at a terminal; what they type is shown and kept nowhere."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass

from mvote.ballotbox.ceremony_record import CeremonyRecord, SharePlace
from mvote.ballotbox.share_problems import ShareProblem
from mvote.ballotbox.shares import WORDS, TypedShare, read_words, typed_share
from mvote.languages import at_once
from mvote.wording import Message, say, say_number

Ask = Callable[[str], str]
Tell = Callable[[str], None]
NUMBER = say("number of the share")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Where trustees sit: *ask* reads a line (EOFError at the end), *tell* shows one."""

    ask: Ask
    tell: Tell

    def share_of(self, record: CeremonyRecord, place: SharePlace) -> TypedShare:
        """The share of one trustee, asked for until it is right. Raises EOFError."""
        words = say_number("{number} word", "{number} words", WORDS)
        self.tell(f"{place.number}. {place.name}: {at_once(words)}")
        while True:
            try:
                return typed_share(record, place, self._words(place))
            except ShareProblem as problem:
                self.tell(str(problem))

    def shares_of_enough(self, record: CeremonyRecord) -> list[TypedShare]:
        """As many shares as are needed, of whoever is there. Raises EOFError."""
        shares: list[TypedShare] = []
        while len(shares) < record.threshold:
            left = record.threshold - len(shares)
            self.tell(at_once(_still_needed(left)))
            try:
                place = self._place(record, [share.place for share in shares])
            except ShareProblem as problem:
                self.tell(str(problem))
                continue
            shares.append(self.share_of(record, place))
        return shares

    def _place(self, record: CeremonyRecord, given_before: list[SharePlace]) -> SharePlace:
        given = self.ask(f"{at_once(NUMBER)}: ").strip()
        numbers = {str(place.number): place for place in record.places}
        if given not in numbers:
            raise ShareProblem("no-such-share", None)
        if numbers[given] in given_before:
            raise ShareProblem("duplicate", numbers[given])
        return numbers[given]

    def _words(self, place: SharePlace) -> list[str]:
        """So many words as a share has, in one line or in several. Raises ShareProblem."""
        words: list[str] = []
        while len(words) < WORDS:
            begin = say("from word {next}", next=len(words) + 1)
            line = self.ask(f"{at_once(begin)}: ")
            try:
                words += read_words(line, place, first=len(words) + 1)
            except ShareProblem as problem:
                self.tell(str(problem))
        return words


def _still_needed(left: int) -> Message:
    return say_number("{number} more share is needed.", "{number} more shares are needed.", left)


def hidden_line(prompt: str) -> str:
    """A line from the terminal without showing it, or from what stands in for a terminal."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def shown_line(prompt: str) -> str:
    """The same, shown while it is typed."""
    return input(prompt) if sys.stdin.isatty() else hidden_line(prompt)
