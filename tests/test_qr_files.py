"""The files of a symbol: complete, bare of metadata, repeatable, and readable by ear."""

import hashlib
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from qr.codes import display_site_code, site_code_url
from qr.image import symbol_png, symbol_svg
from qr.symbol import symbol_modules

CODE = "7K2MQ9XATB4N"
URL = site_code_url(CODE, host="vote.seoul.example")
SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).parent.parent


def png_chunks(png: bytes) -> list[str]:
    kinds, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kinds.append(png[at + 4 : at + 8].decode())
        assert (
            zlib.crc32(png[at + 4 : at + 8 + length])
            == struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0]
        )
        at += 12 + length
    return kinds


def test_a_png_holds_its_pixels_and_no_metadata() -> None:
    png = symbol_png(URL, caption=display_site_code(CODE))
    assert set(png_chunks(png)) == {"IHDR", "IDAT", "IEND"}
    assert Image.open(io.BytesIO(png)).info == {}
    assert len(png) < 4096


def digest_in_another_process() -> str:
    program = (
        "import hashlib; from qr.image import symbol_png, symbol_svg;"
        f"files = symbol_png({URL!r}, caption='A') + symbol_svg({URL!r}, title='B');"
        "print(hashlib.sha256(files).hexdigest())"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def test_the_same_arguments_give_the_same_bytes_in_another_process() -> None:
    here = symbol_png(URL, caption="A") + symbol_svg(URL, title="B")
    assert digest_in_another_process() == hashlib.sha256(here).hexdigest()


def test_an_svg_stands_alone_and_scales_from_its_view_box() -> None:
    svg = symbol_svg(URL, title="Vote", module_px=7, caption=display_site_code(CODE))
    root = ET.fromstring(svg)  # noqa: S314
    side = len(symbol_modules(URL)) + 8
    assert root.tag == f"{SVG}svg"
    assert root.attrib["viewBox"] == f"0 0 {side} {side + 6}"
    assert (root.attrib["width"], root.attrib["height"]) == (f"{side * 7}", f"{(side + 6) * 7}")
    assert [child.tag.removeprefix(SVG) for child in root] == ["title", "rect", "path", "text"]
    assert root[3].text == "7K2M-Q9XA-TB4N"
    assert b"href" not in svg
    assert svg.count(b"http") == 1  # the name space; the URL itself is only in the modules


@pytest.mark.parametrize(
    ("title", "spoken"),
    [
        ("광화문광장을 걷는 길로? 투표 QR 코드", "광화문광장을 걷는 길로? 투표 QR 코드"),
        ("</title><script>alert(1)</script> & ]]>", "</title><script>alert(1)</script> & ]]>"),
        ("Trees\x00 or \x1b benches\ufffe\ud800", "Trees  or   benches"),
        ("  👩‍🌾 gardens ", "👩‍🌾 gardens"),
    ],
)
def test_a_screen_reader_is_told_the_title_and_nothing_in_it_is_markup(
    title: str, spoken: str
) -> None:
    root = ET.fromstring(symbol_svg(URL, title=title))  # noqa: S314
    assert root.attrib["role"] == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == spoken
    assert not list(root[0])


def test_a_caption_in_an_svg_is_no_markup_either() -> None:
    root = ET.fromstring(symbol_svg(URL, title="Vote", caption="<b>&amp;</b>"))  # noqa: S314
    assert root[3].text == "<b>&amp;</b>"
    assert not list(root[3])


# Refusals


@pytest.mark.parametrize("title", ["", "  ", "\x00"])
def test_an_svg_without_a_title_is_refused(title: str) -> None:
    with pytest.raises(ValueError, match="screen reader"):
        symbol_svg(URL, title=title)


@pytest.mark.parametrize("url", ["", URL + "\n", "https://투표.kr/q/" + CODE, "a b", "h" * 281])
def test_what_no_url_of_ours_can_be_is_not_drawn(url: str) -> None:
    with pytest.raises(ValueError, match="a QR code's URL has"):
        symbol_png(url)
    with pytest.raises(ValueError, match="a QR code's URL has"):
        symbol_svg(url, title="Vote")


@pytest.mark.parametrize("module_px", [-1, 0, 51, 10**9])
def test_modules_of_an_impossible_size_are_refused(module_px: int) -> None:
    with pytest.raises(ValueError, match="1 to 50 pixels"):
        symbol_png(URL, module_px=module_px)
    with pytest.raises(ValueError, match="1 to 50 pixels"):
        symbol_svg(URL, title="Vote", module_px=module_px)


@pytest.mark.parametrize("caption", ["", "광장", "two\nlines", "W" * 33])
def test_a_caption_that_cannot_be_drawn_is_refused(caption: str) -> None:
    with pytest.raises(ValueError, match="a caption has"):
        symbol_png(URL, caption=caption)
    with pytest.raises(ValueError, match="a caption has"):
        symbol_svg(URL, title="Vote", caption=caption)
