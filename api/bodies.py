"""Bodies that are files: how large they may be, and where they wait while they are read."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, TypeVar, cast

from flask import request

from api.problems import UnsupportedMediaType

View = TypeVar("View", bound=Callable[..., Any])
IN_MEMORY = 2**20
"""What is larger waits on disk."""
PIECE = 2**16
OCTETS = "application/octet-stream"
"""Whoever does not know what a file is may say so; where this is taken, its first bytes tell."""
BINARY = {"type": "string", "format": "binary"}


def takes(size: int, *media_types: str) -> Callable[[View], View]:
    """Let a body of these types have *size* bytes; stands beneath `@access`."""

    def declare(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if request.mimetype not in media_types:
                raise UnsupportedMediaType
            request.max_content_length = size
            return view(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return declare


def spooled() -> BinaryIO:
    """A file that is on disk only when it is large."""
    return cast("BinaryIO", SpooledTemporaryFile(max_size=IN_MEMORY))


@contextmanager
def body_as_file() -> Iterator[BinaryIO]:
    """The body of the request, to be read once it has all come."""
    with spooled() as file:
        shutil.copyfileobj(request.stream, file, PIECE)
        file.seek(0)
        yield file
