"""Pictures and attachments: checked to be what they say, kept by their hash, drawn anew."""

from __future__ import annotations

import hashlib
from io import BytesIO

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from mvote.budget.files import LARGEST_PDF
from tests.support.hostile import no_trace
from tests.support.proposals import Town, refused
from tests.support.world import World

BODY = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
PDF = BODY + b"xref\n0 1\ntrailer\n<< /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(BODY)


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


def _send(town: Town, path: str, content: bytes, media_type: str) -> TestResponse:
    headers = town.author().headers
    return town.world.client.post(path, data=content, content_type=media_type, headers=headers)


def _picture(kind: str, **more: object) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (4, 3), (200, 30, 30)).save(stream, kind, **more)
    return stream.getvalue()


def test_a_pdf_is_kept_byte_for_byte_under_its_hash(town: Town) -> None:
    sent = _send(town, "/v1/attachments", PDF, "application/pdf")
    digest = hashlib.sha256(PDF).hexdigest()
    assert (sent.status_code, sent.get_json()["sha256"]) == (201, digest)
    read = town.world.client.get(sent.get_json()["url"])
    assert (read.get_data(), read.mimetype) == (PDF, "application/pdf")
    assert read.headers["Content-Disposition"].startswith("attachment")
    assert _send(town, "/v1/attachments", PDF, "application/pdf").status_code == 201
    assert town.world.count("stored_file") == 1


@pytest.mark.parametrize(
    "content",
    [
        b"", b"%PDF-1.7\n", b"MZ" + PDF, PDF[:-20], b"<html>%PDF-1.7 startxref 9 %%EOF",
        PDF.replace(b"startxref\n%d" % len(BODY), b"startxref\n99999"),
    ],
    ids=["empty", "only a head", "a program", "cut off", "a page", "no table"],
)  # fmt: skip
def test_what_is_no_whole_and_quiet_pdf_is_refused(town: Town, content: bytes) -> None:
    author = town.author()
    with no_trace(town.world):
        answer = town.world.client.post(
            "/v1/attachments", data=content, content_type="application/pdf", headers=author.headers
        )
        assert refused(answer) == (422, "invalid-request")


@pytest.mark.parametrize(
    "action", [b"/JavaScript /JS (x)", b"/J#61v#61Script /J#53 (x)"], ids=["plain", "in escapes"]
)
def test_a_pdf_that_runs_programs_is_refused_however_they_are_written(
    town: Town, action: bytes
) -> None:
    body = BODY.replace(b"/Catalog", b"/Catalog /OpenAction << /S " + action + b" >>")
    content = PDF.replace(BODY, body).replace(b"\n%d\n" % len(BODY), b"\n%d\n" % len(body))
    author = town.author()
    with no_trace(town.world):
        answer = town.world.client.post(
            "/v1/attachments", data=content, content_type="application/pdf",
            headers=author.headers | {"Accept-Language": "en"},
        )  # fmt: skip
    [wrong] = answer.get_json()["errors"]
    assert wrong["detail"] == "A PDF that runs programs or hides files is not taken."


def test_a_pdf_may_have_10_mib_and_no_byte_more(town: Town) -> None:
    filled = PDF.replace(b"1 0 obj", b"1 0 obj %" + b"x" * 2_000_000, 1)
    start = filled.index(b"xref\n0 1")
    filled = filled.replace(b"startxref\n%d" % len(BODY), b"startxref\n%d" % start)
    assert _send(town, "/v1/attachments", filled, "application/pdf").status_code == 201
    huge = _send(town, "/v1/attachments", PDF + b" " * LARGEST_PDF, "application/pdf")
    assert refused(huge) == (413, "too-large")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_drawn_anew_without_what_the_camera_wrote_into_it(
    town: Town, kind: str
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret-place"
    sent = _send(town, "/v1/images", _picture(kind, exif=exif), f"image/{kind.lower()}")
    assert sent.status_code == 201
    read = town.world.client.get(sent.get_json()["url"])
    assert read.mimetype == f"image/{kind.lower()}"
    assert b"secret-place" not in read.get_data()
    assert Image.open(BytesIO(read.get_data())).size == (4, 3)
    assert hashlib.sha256(read.get_data()).hexdigest() == sent.get_json()["sha256"]


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", _picture("PNG")[:40]])
def test_what_is_no_picture_is_refused(town: Town, content: bytes) -> None:
    answer = _send(town, "/v1/images", content, "image/png")
    assert refused(answer) == (422, "invalid-request")
    assert town.world.count("stored_file") == 0


def test_a_file_of_another_type_is_refused(town: Town) -> None:
    for path, media_type in (("/v1/images", "image/svg+xml"), ("/v1/attachments", "text/html")):
        answer = _send(town, path, b"x", media_type)
        assert refused(answer) == (415, "unsupported-media-type")


def test_a_proposal_shows_pictures_with_their_words_and_attachments(town: Town) -> None:
    picture = _send(town, "/v1/images", _picture("PNG"), "image/png").get_json()
    attachment = _send(town, "/v1/attachments", PDF, "application/pdf").get_json()
    author = town.author()
    shown = town.submitted(
        author,
        pictures=[{"sha256": picture["sha256"], "alt": "빨간 정류장"}],
        attachments=[{"sha256": attachment["sha256"], "title": "견적서"}],
    )
    assert shown["pictures"] == [picture | {"alt": {"ko": "빨간 정류장"}}]
    assert shown["attachments"] == [attachment | {"title": {"ko": "견적서"}}]
    wrong = town.try_draft(author, pictures=[{"sha256": attachment["sha256"], "alt": "그림"}])
    assert refused(wrong) == (422, "invalid-request")
