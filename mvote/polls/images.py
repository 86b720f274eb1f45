"""Pictures in a poll: ours, by their hash, so that what voters see is frozen with the question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from mvote.budget.files import PICTURE_TYPES, keep_for_good, kept_files
from mvote.polls.hindrances import Hindrance

PATH = "/v1/images/"
"""Where pictures are served, each by its hash: what `POST /images` answered."""
Image = dict[str, Any]


def image_hindrances(session: Session, content: dict[str, Any]) -> Iterator[Hindrance]:
    """Pictures that are not ours, or not there: voters might see others than the author did."""
    named = list(images_in(content))
    hashes = [bytes.fromhex(image["sha256"]) for _, image in named]
    there = kept_files(session, hashes, *PICTURE_TYPES)
    for (pointer, image), digest in zip(named, hashes, strict=True):
        if image["url"] != PATH + image["sha256"]:
            yield Hindrance("image-foreign", f"{pointer}/url")
        elif digest not in there:
            yield Hindrance("image-missing", f"{pointer}/sha256")


def freeze_images(session: Session, content: dict[str, Any]) -> None:
    """From now on nobody deletes the pictures of the poll."""
    keep_for_good(session, [bytes.fromhex(image["sha256"]) for _, image in images_in(content)])


def images_in(content: dict[str, Any]) -> Iterator[tuple[str, Image]]:
    """The pictures of a poll and of its options, each with its place (a JSON pointer)."""
    for n, image in enumerate(content.get("images") or []):
        yield f"/images/{n}", image
    for n, option in enumerate((content.get("question") or {}).get("options") or []):
        if option.get("image"):
            yield f"/question/options/{n}/image", option["image"]
