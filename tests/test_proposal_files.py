"""Pictures and attachments: checked to be what they say, kept by their hash, drawn anew."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import cast

import pytest
from PIL import Image
from sqlalchemy import QueuePool
from werkzeug.test import TestResponse

from api.budget import files as views
from mvote.budget.files import LARGEST_KEPT, LARGEST_PDF
from qr.pictures import drawn_anew
from tests.support.hostile import no_trace
from tests.support.proposals import Town, refused
from tests.support.world import Person, World

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
    with no_trace(town.world, but="allowance"):
        answer = town.world.client.post(
            "/v1/attachments", data=content, content_type="application/pdf", headers=author.headers
        )
        assert refused(answer) == (422, "invalid-request")


@pytest.mark.parametrize(
    "action",
    [
        b"/JavaScript /JS (x)", b"/J#61v#61Script /J#53 (x)", b"/SubmitForm", b"/ImportData",
        b"/None /XFA 1 0 R", b"/None /EF << >>", b"/None /EmbeddedFiles 1 0 R", b"/RichMedia",
    ],
    ids=["plain", "in escapes", "sends", "fetches", "forms", "a file", "files", "media"],
)  # fmt: skip
def test_a_pdf_that_runs_programs_or_hides_files_is_refused_however_they_are_written(
    town: Town, action: bytes
) -> None:
    body = BODY.replace(b"/Catalog", b"/Catalog /OpenAction << /S " + action + b" >>")
    content = PDF.replace(BODY, body).replace(b"\n%d\n" % len(BODY), b"\n%d\n" % len(body))
    author = town.author()
    with no_trace(town.world, but="allowance"):
        answer = town.world.client.post(
            "/v1/attachments", data=content, content_type="application/pdf",
            headers=author.headers | {"Accept-Language": "en"},
        )  # fmt: skip
    [wrong] = answer.get_json()["errors"]
    assert wrong["detail"] == "A PDF that runs programs or hides files is not taken."


def test_a_word_that_only_begins_like_a_forbidden_one_is_none(town: Town) -> None:
    content = PDF.replace(b"/Type", b"/EFgh")
    assert _send(town, "/v1/attachments", content, "application/pdf").status_code == 201


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


def _tries(town: Town, person: Person, content: bytes) -> list[int]:
    """What a citizen is answered who sends the same eleven times."""
    return [
        town.world.client.post(
            "/v1/images", data=content, content_type="image/png", headers=person.headers
        ).status_code
        for _ in range(11)
    ]


@pytest.mark.parametrize(("content", "answered"), [(_picture("PNG"), 201), (b"no picture", 422)])
def test_every_try_counts_whether_the_file_is_kept_known_or_refused(
    town: Town, content: bytes, answered: int
) -> None:
    assert _tries(town, town.author(), content) == [answered] * 10 + [429]
    other = town.world.citizen()
    assert _tries(town, other, content)[0] == answered


def test_a_picture_is_not_even_opened_once_the_tries_are_used_up(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = town.world.citizen()
    _tries(town, author, b"no picture")
    monkeypatch.setattr(views, "drawn_anew", lambda _: pytest.fail("it was looked at"))
    assert _tries(town, author, _picture("PNG")) == [429] * 11


@pytest.mark.parametrize(
    ("path", "media_type"), [("images", "image/png"), ("attachments", "application/pdf")]
)
def test_who_finds_two_files_being_looked_at_waits_for_a_turn_and_then_leaves(
    town: Town, monkeypatch: pytest.MonkeyPatch, path: str, media_type: str
) -> None:
    monkeypatch.setattr(views.looking, "patience_s", 0.01)
    author = town.author()
    content = PDF if path == "attachments" else _picture("PNG")

    def send() -> TestResponse:
        return town.world.client.post(
            f"/v1/{path}", data=content, content_type=media_type, headers=author.headers
        )

    with views.looking.one():
        assert send().status_code == 201
        with views.looking.one(), no_trace(town.world, but="allowance"):
            assert refused(send()) == (503, "overloaded")
    assert send().status_code == 201


def test_while_a_picture_is_drawn_no_connection_is_kept_not_even_for_a_key(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []

    def watched(content: bytes) -> tuple[bytes, str]:
        kept.append(cast("QueuePool", town.world.wiring.engine.pool).checkedout())
        return drawn_anew(content)

    monkeypatch.setattr(views, "drawn_anew", watched)
    headers = town.author().headers | {"Idempotency-Key": "once"}
    answers = [
        town.world.client.post(
            "/v1/images", data=_picture("PNG"), content_type="image/png", headers=headers
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].get_json() == answers[1].get_json()
    assert kept == [0, 0]


def test_a_picture_of_more_than_12_million_pixels_is_refused(town: Town) -> None:
    stream = BytesIO()
    Image.new("1", (4_000, 3_001)).save(stream, "PNG")
    answer = _send(town, "/v1/images", stream.getvalue(), "image/png")
    assert refused(answer) == (422, "invalid-request")
    assert town.world.count("stored_file") == 0


def test_a_picture_that_grows_too_large_as_it_is_drawn_anew_is_refused(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "drawn_anew", lambda _: (b"x" * (LARGEST_KEPT + 1), "image/png"))
    answer = _send(town, "/v1/images", _picture("PNG"), "image/png")
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
