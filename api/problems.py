"""Errors as `application/problem+json` (RFC 9457), for every status, in Korean and English.

The one table from error to status stands here. No text of an exception that is not ours ever
reaches a client.
"""

from __future__ import annotations

import logging
import uuid
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from flask import Flask, Response, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from api.korean import in_korean
from api.statuses import STATUSES
from mvote import errors
from mvote.errors import DomainError, Fault, InvalidRequest, Text

CONTENT_TYPE = "application/problem+json"
log = logging.getLogger("mvote.problems")


class HttpFault(DomainError):
    """A fault of the request itself, before any rule of ours; subclasses name theirs."""


def http_fault(code: str, ko: str, en: str) -> type[HttpFault]:
    """A class for a fault that only HTTP knows."""
    return type(code, (HttpFault,), {"code": code, "title": {"ko": ko, "en": en}})


HTTP_FAULTS: dict[int, type[HttpFault]] = {
    400: http_fault("malformed-json", "JSON을 읽을 수 없습니다.", "The body is not valid JSON."),
    404: http_fault("not-found", "찾을 수 없습니다.", "There is no such thing."),
    405: http_fault("method-not-allowed", "허용되지 않은 메서드입니다.", "Method not allowed."),
    406: http_fault("not-acceptable", "제공할 수 없는 형식입니다.", "No such format is offered."),
    413: http_fault("too-large", "요청이 너무 큽니다.", "The request is too large."),
    415: http_fault(
        "unsupported-media-type", "지원하지 않는 형식입니다.", "This media type is not taken."
    ),
    428: http_fault(
        "version-required", "If-Match 헤더가 필요합니다.", "Say with If-Match what you change."
    ),
}
MalformedJson = HTTP_FAULTS[400]
NotAcceptable = HTTP_FAULTS[406]
TooLarge = HTTP_FAULTS[413]
UnsupportedMediaType = HTTP_FAULTS[415]
VersionRequired = HTTP_FAULTS[428]


class InternalError(HttpFault):
    """Our own fault; the id finds it in the logs."""

    code = "internal-error"
    title: ClassVar[Text] = {"ko": "서버 오류가 발생했습니다.", "en": "Something went wrong here."}


class InvalidParameter(InvalidRequest):
    """A header, query or path parameter that is not valid: `[(in, name, detail), …]`."""

    def __init__(self, *wrong: tuple[str, str, str]) -> None:
        super().__init__()
        self.wrong = wrong


def status_of(error: type[DomainError]) -> int:
    """The status that stands for a class of errors (the nearest ancestor's in the table)."""
    for status, fault in HTTP_FAULTS.items():
        if issubclass(error, fault):
            return status
    return next((STATUSES[cls] for cls in error.__mro__ if cls in STATUSES), 500)


def language() -> str:
    """`ko` or `en`, as the caller prefers; Korean if nothing is said."""
    return request.accept_languages.best_match(["ko", "en"], "ko") or "ko"


def problem_of(error: DomainError, status: int) -> dict[str, Any]:
    """The body of RFC 9457 for *error*."""
    spoken = language()
    body: dict[str, Any] = {
        "type": f"/docs/problems#{error.code}",
        "title": error.title[spoken],
        "status": status,
        "detail": _said(error.detail) if error.detail else error.title[spoken],
        "code": error.code,
    }
    if error.next_step:
        body["next_step"] = error.next_step[spoken]
    if isinstance(error, InvalidRequest):
        body["errors"] = _errors_of(error)
    return body | {key: _shown(value) for key, value in error.facts.items()}


def _errors_of(error: InvalidRequest) -> list[dict[str, str]]:
    listed = [_shown_fault(fault) for fault in error.faults]
    if isinstance(error, InvalidParameter):
        wrong = error.wrong
        listed += [{"in": place, "name": name, "detail": _said(why)} for place, name, why in wrong]
    return listed


def _shown_fault(fault: Fault) -> dict[str, str]:
    detail = fault.korean if fault.korean and language() == "ko" else _said(fault.detail)
    shown = {"pointer": fault.pointer, "detail": detail}
    return shown | {"code": fault.code} if fault.code else shown


def _said(detail: str) -> str:
    """*detail* in the caller's language."""
    return in_korean(detail) if language() == "ko" else detail


def _shown(value: Any) -> Any:
    """A fact as JSON, its texts in the caller's language."""
    if isinstance(value, DomainError):
        return problem_summary(value)
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    return value


def problem_summary(error: DomainError) -> dict[str, Any]:
    """`{code, title, next_step}` and facts: an error as one of several in a list."""
    spoken = language()
    step = error.next_step[spoken] if error.next_step else None
    summary = {"code": error.code, "title": error.title[spoken], "next_step": step}
    if error.detail:
        summary["detail"] = _said(error.detail)
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
