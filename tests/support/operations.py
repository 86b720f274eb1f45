"""Every operation of the API, from the routes of the app itself, ready to be called."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.contract import CheckedClient

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WITH_BODY = ("POST", "PUT", "PATCH")


@dataclass(frozen=True)
class Operation:
    """A method and a route, and who is declared to may call it."""

    method: str
    template: str
    who: str

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def path(self, **known: Any) -> str:
        """The path with these values; something that does not exist where nothing is given."""
        return re.sub(r"<(\w+:)?(\w+)>", lambda found: self._value(found, known), self.template)

    def _value(self, found: re.Match[str], known: dict[str, Any]) -> str:
        if found[2] in known:
            return str(known[found[2]])
        return str(uuid.uuid4()) if found[1] == "uuid:" else "0000-0000-0000"

    def call(
        self, client: CheckedClient, headers: dict[str, str] | None = None, **known: Any
    ) -> TestResponse:
        """Call it, with an empty object where a body belongs."""
        body: dict[str, Any] = {"json": {}} if self.method in WITH_BODY else {}
        return client.open(self.path(**known), method=self.method, headers=headers, **body)


def operations_of(app: Flask) -> list[Operation]:
    """The operations below /v1, by route and method."""
    return [
        Operation(method, rule.rule, vars(app.view_functions[rule.endpoint])["access"])
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        for method in METHODS
        if rule.rule.startswith("/v1/") and method in (rule.methods or ())
    ]
