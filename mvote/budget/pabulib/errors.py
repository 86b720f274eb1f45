"""What can be wrong with a .pb file."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say


class BrokenPbFile(DomainError):
    """Facts `row` (a line of the file, from 1) and `problem`: the first of `rows`, 100 at most;
    `more`: reading ended there. Nothing of the file was kept."""

    code = "broken-pb-file"
    title: ClassVar[Message] = say("The .pb file has a broken row. Nothing was imported.")
    row: int
    problem: Message

    def __init__(
        self, row: int, problem: Message, *others: BrokenPbFile, more: bool = False
    ) -> None:
        rows = [(row, problem), *((each.row, each.problem) for each in others)]
        super().__init__(
            say("row {row}: {problem}", row=row, problem=problem),
            row=row,
            problem=problem,
            rows=[{"row": line, "problem": said} for line, said in rows],
            more=more,
        )
        self.row = row
        self.problem = problem
