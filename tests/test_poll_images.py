"""Pictures in polls: what is kept of a file, what is frozen with a poll, and what is forgotten."""

from __future__ import annotations

import hashlib
import itertools
import json
import struct
import zlib
from io import BytesIO
from typing import Any

import psycopg
import pytest
from PIL import Image, ImageCms, PngImagePlugin
from sqlalchemy import delete, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.budget import file_tries, files
from mvote.budget.files import PER_DAY, StoredFile, files_kept_today, keep_file
from mvote.housekeeping import remove_expired
from qr.pictures import NoPicture, drawn_anew
from tests.support.hostile import no_trace
from tests.support.people import problem
from tests.support.racing import race
from tests.support.waiting import is_blocked, wait_until
from tests.support.world import Person, World, question

ALT = {"ko": "광장의 나무", "en": "A tree on the square"}


def painted(kind: str, color: tuple[int, ...] = (200, 30, 30), **more: Any) -> bytes:
    """A small picture, two halves of different colours."""
    picture = Image.new("RGB", (4, 2), color)
    picture.paste((0, 0, 255), (2, 0, 4, 2))
    stream = BytesIO()
    picture.save(stream, kind, **more)
    return stream.getvalue()


def sent(world: World, author: Person, content: bytes | None = None) -> dict[str, Any]:
    """A picture as it is named in a poll."""
    answer = world.client.post(
        "/v1/images", data=content or painted("PNG"), content_type="image/png",
        headers=author.headers,
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    return {**answer.get_json(), "alt": ALT}


def asked_with(image: dict[str, Any]) -> dict[str, Any]:
    """A question whose first option shows *image*."""
    asked = question("yes", "no")
    asked["options"][0]["image"] = image
    return asked


def hindrances(world: World, draft: dict[str, Any], author: Person) -> list[tuple[str, str]]:
    answer = world.client.post(f"/v1/polls/{draft['id']}/open", headers=author.headers)
    assert problem(answer) == (409, "not-ready-to-open")
    return [(each["code"], each["pointer"]) for each in answer.get_json()["hindrances"]]


def make_old(world: World, days: int = 31) -> None:
    """Let all files have been sent so long ago."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE stored_file SET kept_at = kept_at - make_interval(days => %(days)s),"
            " sent_at = sent_at - make_interval(days => %(days)s)",
            {"days": days},
        )


def keep_house(world: World) -> None:
    with Session(world.engines["api"]) as session, transaction(session):
        remove_expired(session)


def test_pictures_are_frozen_with_the_poll_by_their_hash(world: World) -> None:
    author = world.officer()
    image = sent(world, author)
    poll = world.open_poll(author, question=asked_with(image), images=[image])
    with world.client.get(f"/v1/polls/{poll['id']}/definition") as answer:
        frozen = json.loads(answer.get_data())
    assert frozen["question"]["options"][0]["image"] == frozen["images"][0] == image
    shown = world.client.get(f"/v1/polls/{poll['id']}").get_json()
    assert (shown["images"], shown["question"]["options"][0]["image"]) == ([image], image)
    with world.client.get(image["url"]) as answer:
        assert hashlib.sha256(answer.get_data()).hexdigest() == image["sha256"]


def test_a_poll_without_pictures_says_nothing_of_them_in_its_definition(world: World) -> None:
    poll = world.open_poll()
    with world.client.get(f"/v1/polls/{poll['id']}/definition") as answer:
        assert "images" not in json.loads(answer.get_data())


def test_a_picture_that_lies_elsewhere_or_nowhere_hinders_the_opening(world: World) -> None:
    author = world.officer()
    image = sent(world, author)
    foreign = image | {"url": "https://example.org/tree.png"}
    other = image | {"url": image["url"].replace(image["sha256"], "0" * 64)}
    missing = {"url": "/v1/images/" + "1" * 64, "sha256": "1" * 64, "alt": ALT}
    draft = world.draft(author, question=asked_with(foreign), images=[other, missing, image])
    assert hindrances(world, draft, author) == [
        ("image-foreign", "/images/0/url"),
        ("image-missing", "/images/1/sha256"),
        ("image-foreign", "/question/options/0/image/url"),
    ]
    assert world.count("file_use") == 0


def test_an_attachment_is_no_picture(world: World) -> None:
    author = world.officer()
    body = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    pdf = body + b"xref\n0 1\ntrailer\n<< /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    answer = world.client.post(
        "/v1/attachments", data=pdf, content_type="application/pdf", headers=author.headers
    )
    digest = answer.get_json()["sha256"]
    named = {"url": f"/v1/images/{digest}", "sha256": digest, "alt": ALT}
    draft = world.draft(author, images=[named])
    assert hindrances(world, draft, author) == [("image-missing", "/images/0/sha256")]


@pytest.mark.parametrize(
    "wrong",
    [{"alt": None}, {"sha256": "x"}, {"sha256": "A" * 64}, {"more": 1}, {"url": ""}],
    ids=["no words", "no hash", "capitals", "more", "no address"],
)
def test_a_picture_has_an_address_a_hash_and_words(world: World, wrong: dict[str, Any]) -> None:
    author = world.officer()
    image = sent(world, author) | wrong
    body = {"title": "나무", "question": question(), "images": [image]}
    with no_trace(world):
        answer = world.client.post("/v1/polls", json=body, headers=author.headers)
        assert problem(answer) == (422, "invalid-request")


def test_what_a_frozen_poll_shows_is_never_deleted(world: World) -> None:
    author = world.officer()
    used, orphan = sent(world, author), sent(world, author, painted("PNG", (1, 2, 3)))
    world.open_poll(author, images=[used])
    make_old(world)
    keep_house(world)
    assert world.client.get(used["url"]).status_code == 200
    assert world.client.get(orphan["url"]).status_code == 404
    for login in ("api", "owner"):
        refused = r"permission denied|violates foreign key"
        with (
            Session(world.engines[login]) as session,
            pytest.raises(DBAPIError, match=refused),
        ):
            session.execute(delete(StoredFile))
    assert world.count("stored_file") == 1


def test_a_file_that_nothing_names_is_forgotten_after_thirty_days(world: World) -> None:
    author = world.officer()
    orphan, drafted = sent(world, author), sent(world, author, painted("PNG", (1, 2, 3)))
    world.draft(author, images=[drafted])
    make_old(world, days=29)
    keep_house(world)
    assert world.count("stored_file") == 2
    make_old(world, days=2)
    keep_house(world)
    assert world.client.get(orphan["url"]).status_code == 404
    assert world.client.get(drafted["url"]).status_code == 200


def test_a_citizen_sends_so_many_files_a_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_tries, "BY_MINUTE", file_tries.BY_DAY)
    author = world.citizen()
    for n in range(PER_DAY):
        sent(world, author, painted("PNG", (n, 0, 0)))
    answer = world.client.post(
        "/v1/images", data=painted("PNG", (0, 200, 0)), content_type="image/png",
        headers=author.headers,
    )  # fmt: skip
    assert problem(answer) == (429, "too-many-requests")
    assert world.count("stored_file") == PER_DAY


def kept_at_once(world: World) -> int:
    """How many files a citizen has, of whom many were sent at once when there was room for one."""
    by, contents = world.citizen().id, (f"{n}".encode() for n in itertools.count())
    with Session(world.engines["api"]) as session, transaction(session):
        for _ in range(PER_DAY - 1):
            keep_file(session, content=next(contents), media_type="image/png", by=by)

    left, looked = iter([next(contents) for _ in range(8)]), list[bytes]()

    def send(session: Session) -> None:
        content = next(left)
        if files_kept_today(session, by) < PER_DAY:
            looked.append(content)
            wait_until(lambda: len(looked) == 8 or is_blocked(world.admin_url, "advisory"))
            keep_file(session, content=content, media_type="image/png", by=by)

    race(world.engines["api"], 8, send)
    return world.count("stored_file")


def test_files_sent_at_once_keep_to_the_limit(world: World) -> None:
    assert kept_at_once(world) == PER_DAY


def test_looking_before_keeping_would_let_all_files_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ONE_AT_A_TIME", text("SELECT CAST(:by AS text)"))
    assert kept_at_once(world) > PER_DAY


# what is kept of a file


def gps() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "a-camera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (37.0, 33.0, 59.0)
    return exif


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_nothing_is_kept_but_what_is_seen(kind: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    more: dict[str, Any] = {"exif": gps(), "icc_profile": profile}
    if kind == "PNG":
        words = PngImagePlugin.PngInfo()
        words.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>a-name</x:xmpmeta>")
        more["pnginfo"] = words
    else:
        more["xmp"] = b"<x:xmpmeta>a-name</x:xmpmeta>"
    before = painted(kind, **more)
    assert b"a-name" in before
    assert b"a-camera" in before
    after, _ = drawn_anew(before)
    for trace in (b"a-name", b"a-camera", b"Exif", b"xmpmeta", b"ICC_PROFILE", b"iCCP", b"ICCP"):
        assert trace not in after
    with Image.open(BytesIO(after)) as picture:
        assert (dict(picture.getexif()), picture.info.get("icc_profile")) == ({}, None)


def test_a_picture_is_turned_as_its_camera_was_held() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(BytesIO(drawn_anew(painted("PNG", exif=exif))[0])) as picture:
        assert picture.size == (2, 4)
        assert [picture.getpixel((0, y)) for y in (0, 3)] == [(200, 30, 30), (0, 0, 255)]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_same_picture_becomes_the_same_bytes(kind: str) -> None:
    assert drawn_anew(painted(kind)) == drawn_anew(painted(kind, exif=gps()))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("hidden", [b"PK\x03\x04a-zip", b"<script>x</script>", b"%PDF-1.7"])
def test_what_hides_behind_a_picture_is_gone(kind: str, hidden: bytes) -> None:
    assert hidden not in drawn_anew(painted(kind) + hidden)[0]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_moving_picture_is_refused(kind: str) -> None:
    second = Image.new("RGB", (4, 2), (0, 255, 0))
    with pytest.raises(NoPicture, match="moving"):
        drawn_anew(painted(kind, save_all=True, append_images=[second]))


def test_a_picture_that_would_fill_the_memory_is_refused_unopened() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        ends = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + ends

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    bomb = b"\x89PNG\r\n\x1a\n" + head + data + chunk(b"IEND", b"")
    with pytest.raises(NoPicture, match="too-large"):
        drawn_anew(bomb)
