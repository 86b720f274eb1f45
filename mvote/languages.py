"""Saying a sentence in a language: its words from `translations/`, numbers and days by CLDR.

English stands in the code. Each further language is one file, `translations/<tag>.po`, named by its
tag (BCP 47); it is read when it is first spoken. See docs/languages.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from mvote.wording import Fact, Message, filled

if TYPE_CHECKING:
    from babel import Locale

TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"
ENGLISH = "en"
TEXT_LANGUAGES = ("ko", "en")
"""Those that a text in the API has, side by side: `{"ko": …, "en": …}`."""
SMALLEST, LARGEST = 1e-9, 10**15
Text = dict[str, str]


@cache
def languages() -> tuple[str, ...]:
    """The tags of all that can be spoken."""
    found = {path.stem for path in TRANSLATIONS.glob("*.po")}
    return tuple(sorted(found | {ENGLISH}))


def said(sentence: str, language: str) -> str:
    """*sentence* in *language*; in English as far as nobody has put it into that language."""
    message = sentence if isinstance(sentence, Message) else Message(sentence)
    language = language if language in languages() else ENGLISH
    words = _words(message, language)
    return filled(words, message.facts, lambda fact: shown(fact, language))


def side_by_side(sentence: str) -> Text:
    """*sentence* as the texts of the API are: in Korean and in English."""
    return {language: said(sentence, language) for language in TEXT_LANGUAGES}


def best_of(text: Mapping[str, str], language: str) -> tuple[str, str]:
    """What people wrote, in *language* or else in one that there is; and which that is."""
    found = language if text.get(language) else next(iter(text))
    return text[found], found


def at_once(sentence: str, between: str = " / ") -> str:
    """*sentence* in Korean and English one after the other: for paper, and for those around a table
    who read it together."""
    return between.join(side_by_side(sentence).values())


def shown(fact: Fact, language: str) -> str:
    """A fact as those write it who speak *language*."""
    match fact:
        case Message():
            return said(fact, language)
        case dt.datetime():
            return instant_in(language, fact)
        case dt.date():
            return day_in(language, fact)
        case list() | tuple():
            return ", ".join(shown(each, language) for each in fact)
        case bool():
            return str(fact)
        case int() | float() | Decimal():
            return number_in(language, fact)
        case _:
            return str(fact)


@cache
def catalogue(language: str) -> NullTranslations:
    """All sentences of one language; English has none of its own. Raises LookupError."""
    if language not in languages():
        raise LookupError(f"there is no translations/{language}.po")
    if language == ENGLISH:
        return NullTranslations()
    return read_catalogue((TRANSLATIONS / f"{language}.po").read_bytes(), language)


def read_catalogue(content: bytes, language: str) -> NullTranslations:
    """The sentences of a file for translators (gettext's PO), without those marked as fuzzy."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po
    from babel.support import Translations

    binary = BytesIO()
    write_mo(binary, read_po(BytesIO(content), locale=str(locale_of(language))))
    binary.seek(0)
    return Translations(binary)


@cache
def locale_of(language: str) -> Locale:
    """What CLDR knows of a language, by its tag."""
    from babel import Locale

    return Locale.parse(language, sep="-")


def instant_in(language: str, instant: dt.datetime) -> str:
    """`2026년 11월 22일 20:49`, `November 22, 2026, 20:49`: in the zone that the instant has."""
    return _joined(language, day_in(language, instant), instant)


def moment_in(language: str, instant: dt.datetime) -> str:
    """The same with the day of the week: `2026년 11월 22일 (일) 20:49`."""
    from babel.dates import format_skeleton

    day = format_skeleton("yMMMEd", instant, instant.tzinfo, locale=locale_of(language))
    return _joined(language, day, instant)


def day_in(language: str, day: dt.date) -> str:
    """`2026년 11월 22일`, `November 22, 2026`."""
    from babel.dates import format_date

    return format_date(day, "long", locale=locale_of(language))


def number_in(language: str, number: float | Decimal) -> str:
    """All its digits, in the groups and with the signs of the language; as Python writes it where
    nobody would read digits."""
    from babel.numbers import format_decimal

    if number and not SMALLEST <= abs(number) < LARGEST:  # type: ignore[operator]
        return str(number)
    return format_decimal(number, locale=locale_of(language), decimal_quantization=False)


def _joined(language: str, day: str, instant: dt.datetime) -> str:
    from babel.dates import format_time, get_datetime_format

    time = format_time(instant, "HH:mm", tzinfo=instant.tzinfo, locale=locale_of(language))
    pattern = str(get_datetime_format("medium", locale=locale_of(language)))
    return pattern.replace("'", "").replace("{0}", time).replace("{1}", day)


def _words(message: Message, language: str) -> str:
    known = catalogue(language)
    if message.many is None:
        return known.gettext(message.template) if message.template else ""
    return known.ngettext(message.template, message.many, message.number)
