"""The language of an answer: the one that `Accept-Language` asks for, out of those we speak.

RFC 9110 (section 12.5.4) says what the header means, RFC 4647 (section 3.4) how to look up. Who
asks for nothing that we speak is answered in the language of the city.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from flask import Flask, Response, current_app, g, has_request_context, request
from flask.templating import Environment

from api.settings import Settings
from mvote.languages import catalogue, languages, locale_of, said
from mvote.wording import Message

RANGE = re.compile(r"(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*[Qq]\s*=\s*(\S*)\s*)?")
QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
LONGEST_HEADER = 1_000
"""Characters that are read of it; browsers send less than a tenth of that."""


def register(app: Flask) -> None:
    """Let answers of *app* name their language, and its pages speak it."""
    app.after_request(_told)
    plain = app.create_jinja_environment

    def speaking() -> Environment:
        environment = plain()
        _teach(app, environment)
        return environment

    app.create_jinja_environment = speaking  # type: ignore[method-assign]


def _teach(app: Flask, pages: Environment) -> None:
    """`_("…")`, and days and numbers as the reader writes them; loaded for the first page only."""
    from flask_babel import Babel, format_date, format_datetime, format_decimal, format_time

    settings: Settings = app.extensions["settings"]
    Babel(
        app,
        configure_jinja=False,  # it would ask the app for what is being made here
        default_locale=str(locale_of(settings.city_language)),
        default_timezone=settings.city_time_zone,
        locale_selector=lambda: locale_of(language()),
    )
    pages.filters.update(
        datetimeformat=format_datetime,
        dateformat=format_date,
        timeformat=format_time,
        decimalformat=format_decimal,
    )
    pages.add_extension("jinja2.ext.i18n")
    pages.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda text: catalogue(language()).gettext(text),
        ngettext=lambda one, many, number: catalogue(language()).ngettext(one, many, number),
        newstyle=True,
    )


def language() -> str:
    """The tag of the language to answer this request in; the answer then names it."""
    if not has_request_context():
        return "en"  # a command, whose output is for those who run the programs
    if "language" not in g:
        settings: Settings = current_app.extensions["settings"]
        header = read_of(request.headers.get("Accept-Language", ""))
        g.language = preferred(header, languages(), settings.city_language)
    return str(g.language)


def in_words(sentence: Message) -> str:
    """*sentence* in the language of the answer."""
    return said(sentence, language())


def _told(response: Response) -> Response:
    """Caches keep the languages apart, and readers learn which one it is (RFC 9110, 8.5)."""
    if "language" in g:
        response.vary.add("Accept-Language")
        response.headers.setdefault("Content-Language", g.language)
    return response


def read_of(header: str) -> str:
    """As much of the header as is read, in whole ranges."""
    return header if len(header) <= LONGEST_HEADER else header[:LONGEST_HEADER].rpartition(",")[0]


@lru_cache(maxsize=256)
def preferred(header: str, offered: Sequence[str], default: str) -> str:
    """Which of the tags *offered* the header asks for most, or *default* if it asks for none."""
    wanted = list(_ranges(header))
    refused = {tag for tag in offered if _quality_of(tag, wanted) == 0}
    for range_, quality in sorted(wanted, key=lambda each: -each[1]):
        if quality and (found := _looked_up(range_, offered, refused, default)):
            return found
    left = [tag for tag in offered if tag not in refused]
    return default if default in left or not left else left[0]


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """The language ranges of the header, each with its quality; what makes no sense is left out."""
    for part in header.split(","):
        found = RANGE.fullmatch(part.strip())
        if found and (found[2] is None or QUALITY.fullmatch(found[2])):
            yield found[1].lower(), float(found[2] or 1)


def _quality_of(tag: str, wanted: Sequence[tuple[str, float]]) -> float | None:
    """What the range says that fits *tag* most closely; None where none does."""
    fitting = [each for each in wanted if each[0] != "*" and _begins(tag, each[0])]
    stars = [each for each in wanted if each[0] == "*"]
    closest = max(fitting, key=lambda each: len(each[0]), default=None)
    return closest[1] if closest else stars[0][1] if stars else None


def _looked_up(range_: str, offered: Sequence[str], refused: set[str], default: str) -> str | None:
    """The tag for a range: `ko` for `ko-Kore-KR`; for `pt` a `pt-BR`, if there is no `pt`."""
    left = [tag for tag in offered if tag not in refused]
    if range_ == "*":
        return default if default in left else next(iter(left), None)
    whole = range_
    while range_:
        for tag in left:
            if tag.lower() == range_:
                return tag
        range_ = range_.rpartition("-")[0]
    return next((tag for tag in left if _begins(tag, whole)), None)


def _begins(tag: str, range_: str) -> bool:
    return f"{tag.lower()}-".startswith(f"{range_}-")
