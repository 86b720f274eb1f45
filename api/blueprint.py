"""flask-smorest's blueprint with this project's parser, and the errors an operation may raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

from flask_smorest import Blueprint as SmorestBlueprint

from api.parser import Parser
from mvote.errors import DomainError

View = TypeVar("View", bound=Callable[..., Any])
Decorator: TypeAlias = Callable[[Any], Any]


class Blueprint(SmorestBlueprint):
    """A group of operations of the API; its decorators keep the types of what they decorate."""

    ARGUMENTS_PARSER = Parser()

    def get(self, rule: str, **options: Any) -> Decorator:
        return cast("Decorator", super().get(rule, **options))

    def post(self, rule: str, **options: Any) -> Decorator:
        return cast("Decorator", super().post(rule, **options))

    def put(self, rule: str, **options: Any) -> Decorator:
        return cast("Decorator", super().put(rule, **options))

    def patch(self, rule: str, **options: Any) -> Decorator:
        return cast("Decorator", super().patch(rule, **options))

    def delete(self, rule: str, **options: Any) -> Decorator:
        return cast("Decorator", super().delete(rule, **options))

    def arguments(self, schema: Any, **options: Any) -> Callable[[Any], Any]:
        if isinstance(schema, type):  # made once here: for each request anew it costs 100 µs
            schema = schema()
        return cast("Callable[[Any], Any]", super().arguments(schema, **options))

    def response(self, status: int, schema: Any = None, **options: Any) -> Callable[[Any], Any]:
        return cast("Callable[[Any], Any]", super().response(status, schema, **options))

    def doc(self, **options: Any) -> Decorator:
        return cast("Decorator", super().doc(**options))

    def alt_response(self, status: int, **options: Any) -> Callable[[Any], Any]:
        return cast("Callable[[Any], Any]", super().alt_response(status, **options))


def may_raise(*errors: type[DomainError]) -> Callable[[View], View]:
    """Name the rules an operation may find broken, for the contract; directly beneath `@access`."""

    def declare(view: View) -> View:
        view.may_raise = errors  # type: ignore[attr-defined]
        return view

    return declare


def needs_version(view: View) -> View:
    """Declare that the operation changes a thing that exists: `If-Match` is required."""
    view.needs_version = True  # type: ignore[attr-defined]
    return view
