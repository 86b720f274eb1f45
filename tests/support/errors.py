"""Every rule that can be broken, as the code knows them."""

from __future__ import annotations

from collections.abc import Iterator

from mvote.errors import DomainError


def errors_below(error: type[DomainError]) -> Iterator[type[DomainError]]:
    """Every class of errors that the loaded modules define."""
    for below in error.__subclasses__():
        yield below
        yield from errors_below(below)


def named_errors() -> list[type[DomainError]]:
    """Those that can be raised: they have a code."""
    return [error for error in errors_below(DomainError) if hasattr(error, "code")]
