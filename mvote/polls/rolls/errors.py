"""What is wrong with a roll as a whole, and why a single row is left out."""

from __future__ import annotations

from typing import Any, ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say

UNREADABLE: dict[str, Message] = {
    "empty": say("The file is empty."),
    "encoding": say("The encoding is unknown. Save it as UTF-8, UTF-16 or CP949 (EUC-KR)."),
    "broken_csv": say("This CSV file is broken. See to its quotation marks."),
    "not_xlsx": say("This is no XLSX file, or it is broken."),
    "old_or_locked": say(
        "The file is locked by a password or of the old kind (.xls). Save it as"
        " .xlsx, without a password."
    ),
    "too_much": say("The file holds more than a roll can need."),
    "too_many_rows": say("There are too many rows."),
    "too_many_columns": say("There are too many columns."),
    "no_such_sheet": say("No sheet has this name."),
    "no_such_column": say("There is no such column."),
    "no_phone_column": say(
        "No column of phone numbers was found. Give it a heading such as `phone`."
    ),
    "several_phone_columns": say(
        "Several columns may hold the phone numbers. Choose one by `column`."
    ),
    "columns_swapped": say(
        "Columns seem to be swapped: that of the phone numbers holds something"
        " else, and another one holds phone numbers."
    ),
    "nobody": say("Not one mobile phone number could be read."),
}

REJECTED: dict[str, Message] = {
    "empty": say("There is no number."),
    "merged_cell": say("Part of merged cells, only the first of which holds a number."),
    "formula": say(
        "A formula without a value that was worked out; formulas are never worked out here."
    ),
    "error_value": say("The value of a formula is an error."),
    "digits_lost": say(
        "Written with an exponent, its last digits are lost. Format the column as text."
    ),
    "several_numbers": say("There are several numbers in one cell."),
    "not_a_number": say("This is no phone number."),
    "not_mobile": say("This is no number of a mobile phone."),
}


class RollUnreadable(DomainError):
    """Nothing was imported: fact `reason` says why, others what was seen and where."""

    code = "roll-unreadable"
    title: ClassVar[Message] = say("This roll cannot be read.")

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(UNREADABLE[reason], reason=reason, **facts)
        self.reason = reason


class RollTooLarge(DomainError):
    """More people than a citizen may ask by name; fact `most`."""

    code = "roll-too-large"
    title: ClassVar[Message] = say("The roll of a citizen's own poll may not be as large as this.")

    def __init__(self, *, most: int) -> None:
        super().__init__(say("It may hold {most} numbers at most.", most=most), most=most)
