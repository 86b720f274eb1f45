"""The language that somebody chooses to be written to in: one of those that there are by now."""

from __future__ import annotations

from typing import Any

from marshmallow.validate import Regexp

from api.fields import String
from mvote.languages import languages
from mvote.wording import say

TAG = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"


class Spoken(String):
    """The tag (BCP 47) of a language. Which there are is no part of the contract: a further one is
    a file in `translations/`."""

    default_error_messages = {  # noqa: RUF012
        "unspoken": say("Nobody is written to in this language. There are: {known}.")
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=Regexp(TAG), **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        tag = super()._deserialize(value, *args, **kwargs)
        if tag not in languages():
            raise self.make_error("unspoken", known=", ".join(languages()))
        return tag
