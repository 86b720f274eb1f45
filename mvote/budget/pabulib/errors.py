"""What can be wrong with a .pb file."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say


class BrokenPbFile(DomainError):
    """Facts `row` (a line of the file, from 1) and `problem`. Nothing of the file was kept."""

    code = "broken-pb-file"
    title: ClassVar[Message] = say("The .pb file has a broken row. Nothing was imported.")

    def __init__(self, row: int, problem: Message) -> None:
        super().__init__(
            say("row {row}: {problem}", row=row, problem=problem), row=row, problem=problem
        )
        self.row = row
        self.problem = problem
