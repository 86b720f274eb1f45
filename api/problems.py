"""Errors as `application/problem+json` (RFC 9457), for every status, in the caller's language.

The one table from error to status stands here. No text of an exception that is not ours ever
reaches a client.
"""

from __future__ import annotations

import logging
import uuid
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from flask import Flask, Response
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from api.languages import in_words
from api.statuses import STATUSES
from mvote import errors
from mvote.errors import DomainError, Fault, InvalidRequest
from mvote.wording import Message, say

CONTENT_TYPE = "application/problem+json"
log = logging.getLogger("mvote.problems")


class HttpFault(DomainError):
    """A fault of the request itself, before any rule of ours; subclasses name theirs."""


def http_fault(code: str, title: Message) -> type[HttpFault]:
    """A class for a fault that only HTTP knows."""
    return type(code, (HttpFault,), {"code": code, "title": title})


HTTP_FAULTS: dict[int, type[HttpFault]] = {
    400: http_fault("malformed-json", say("The body is not valid JSON.")),
    404: http_fault("not-found", say("There is no such thing.")),
    405: http_fault("method-not-allowed", say("Method not allowed.")),
    406: http_fault("not-acceptable", say("No such format is offered.")),
    413: http_fault("too-large", say("The request is too large.")),
    415: http_fault("unsupported-media-type", say("This media type is not taken.")),
    428: http_fault("version-required", say("Say with If-Match what you change.")),
}
MalformedJson = HTTP_FAULTS[400]
NotAcceptable = HTTP_FAULTS[406]
TooLarge = HTTP_FAULTS[413]
UnsupportedMediaType = HTTP_FAULTS[415]
VersionRequired = HTTP_FAULTS[428]


class InternalError(HttpFault):
    """Our own fault; the id finds it in the logs."""

    code = "internal-error"
    title: ClassVar[Message] = say("Something went wrong here.")


class InvalidParameter(InvalidRequest):
    """A header, query or path parameter that is not valid: `[(in, name, detail), …]`."""

    def __init__(self, *wrong: tuple[str, str, Message]) -> None:
        super().__init__()
        self.wrong = wrong


def status_of(error: type[DomainError]) -> int:
    """The status that stands for a class of errors (the nearest ancestor's in the table)."""
    for status, fault in HTTP_FAULTS.items():
        if issubclass(error, fault):
            return status
    return next((STATUSES[cls] for cls in error.__mro__ if cls in STATUSES), 500)


def problem_of(error: DomainError, status: int) -> dict[str, Any]:
    """The body of RFC 9457 for *error*."""
    body: dict[str, Any] = {
        "type": f"/docs/problems#{error.code}",
        "title": in_words(error.title),
        "status": status,
        "detail": in_words(error.detail or error.title),
        "code": error.code,
    }
    if error.next_step:
        body["next_step"] = in_words(error.next_step)
    if isinstance(error, InvalidRequest):
        body["errors"] = _errors_of(error)
    return body | {key: _shown(value) for key, value in error.facts.items()}


def _errors_of(error: InvalidRequest) -> list[dict[str, str]]:
    listed = [_shown_fault(fault) for fault in error.faults]
    if isinstance(error, InvalidParameter):
        wrong = error.wrong
        listed += [
            {"in": place, "name": name, "detail": in_words(why)} for place, name, why in wrong
        ]
    return listed


def _shown_fault(fault: Fault) -> dict[str, str]:
    shown = {"pointer": fault.pointer, "detail": in_words(fault.detail)}
    return shown | {"code": fault.code} if fault.code else shown


def _shown(value: Any) -> Any:
    """A fact as JSON, its texts in the caller's language."""
    if isinstance(value, DomainError):
        return problem_summary(value)
    if isinstance(value, Message):
        return in_words(value)
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    if isinstance(value, dict):
        return {key: _shown(each) for key, each in value.items()}
    return value


def problem_summary(error: DomainError) -> dict[str, Any]:
    """`{code, title, next_step}` and facts: an error as one of several in a list."""
    step = in_words(error.next_step) if error.next_step else None
    summary = {"code": error.code, "title": in_words(error.title), "next_step": step}
    if error.detail:
        summary["detail"] = in_words(error.detail)
    return summary | error.facts


def respond(error: DomainError) -> Response:
    """The whole response to *error*, with the headers that belong to its status."""
    status = status_of(type(error))
    body = orjson.dumps(problem_of(error, status), default=str)
    response = Response(body, status, content_type=CONTENT_TYPE)
    if status in (429, 503):
        response.headers["Retry-After"] = str(error.facts.get("retry_after_s", 2))
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def register(app: Flask) -> None:
    """Let every error of *app* end as a problem."""
    app.register_error_handler(DomainError, respond)
    app.register_error_handler(HTTPException, _respond_to_http)
    app.register_error_handler(PoolTimeout, lambda _: respond(errors.Overloaded()))
    app.register_error_handler(OperationalError, _respond_to_lost_database)
    app.register_error_handler(InterfaceError, _respond_to_lost_database)
    app.register_error_handler(Exception, _respond_to_anything)
    app.log_exception = _log_without_path  # type: ignore[method-assign, assignment]


def _respond_to_http(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 500) < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # type: ignore[return-value]
    fault = HTTP_FAULTS.get(error.code or 500)
    response = respond(fault()) if fault else respond(InternalError(id=uuid.uuid4().hex))
    if error.code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or [])
    return response


def _log_without_path(*given: Any) -> None:
    """What Flask calls for a fault after the view; by itself it would write the path."""
    log.error("internal error after the view", exc_info=given[-1])


def _respond_to_lost_database(error: Exception) -> Response:
    log.error("database lost", extra={"error": type(error).__name__})
    return respond(errors.OutcomeUnknown())


def _respond_to_anything(error: Exception) -> Response:
    identity = uuid.uuid4().hex
    log.error("internal error", extra={"id": identity}, exc_info=error)
    return respond(InternalError(id=identity))
