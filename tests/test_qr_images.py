"""What hangs at a site can be scanned: two independent decoders read exactly the URL."""

import re
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw
from qrcode.constants import ERROR_CORRECT_L
from qrcode.main import QRCode

from qr.codes import ALPHABET, display_site_code, site_code_url
from qr.image import symbol_png, symbol_svg
from qr.symbol import symbol_modules
from tests.support.photographs import (
    Decoder,
    blurred,
    both_decoders,
    covered,
    photograph,
    turned,
    zbar,
    zxing,
)

CODE = "7K2MQ9XATB4N"
URL = site_code_url(CODE, host="vote.seoul.example")
LONGEST_URL = site_code_url(CODE, host=".".join(["a" * 63] * 3 + ["b" * 61]))
SVG = "{http://www.w3.org/2000/svg}"


def drawn_from_svg(svg: bytes, module_px: int = 10) -> Image.Image:
    """A raster of the SVG by its rectangles, with no help from the code that wrote it."""
    root = ET.fromstring(svg)  # noqa: S314  (we wrote it a moment ago)
    _, _, width, height = (int(number) for number in root.attrib["viewBox"].split())
    picture = Image.new("L", (width * module_px, height * module_px), 128)
    pen = ImageDraw.Draw(picture)
    ground = root.find(f"{SVG}rect")
    path = root.find(f"{SVG}path")
    assert ground is not None
    assert path is not None
    assert (ground.attrib["fill"], path.attrib["fill"]) == ("#fff", "#000")
    box = (
        int(ground.attrib["width"]) * module_px - 1,
        int(ground.attrib["height"]) * module_px - 1,
    )
    pen.rectangle((0, 0, *box), fill=255)
    bars = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path.attrib["d"])
    assert "".join(f"M{x} {y}h{there}v1h-{back}z" for x, y, there, back in bars) == path.attrib["d"]
    for x, y, there, back in bars:
        assert there == back
        left, top = int(x) * module_px, int(y) * module_px
        pen.rectangle((left, top, left + int(there) * module_px - 1, top + module_px - 1), fill=0)
    return picture


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=ALPHABET, min_size=12, max_size=12))
def test_every_site_codes_image_gives_exactly_its_url(code: str) -> None:
    url = site_code_url(code, host="vote.seoul.example")
    picture = photograph(symbol_png(url, caption=display_site_code(code)))
    assert zbar(picture) == [url]
    assert zxing(picture) == [url]


@both_decoders
@pytest.mark.parametrize("url", ["https://a.kr/q/" + CODE, URL, URL + "?v=123456", LONGEST_URL])
@pytest.mark.parametrize("module_px", [3, 4, 10])
def test_short_and_long_urls_are_read_at_every_size(
    decode: Decoder, url: str, module_px: int
) -> None:
    assert decode(photograph(symbol_png(url, module_px=module_px))) == [url]


@both_decoders
@pytest.mark.parametrize("radius_px", [1, 2, 3, 4])
def test_a_blurred_image_is_still_read(decode: Decoder, radius_px: int) -> None:
    assert decode(blurred(photograph(symbol_png(URL)), radius_px)) == [URL]


@both_decoders
@pytest.mark.parametrize("degrees", [5, 17, 30, 45, 60, 90, 133, 180, 270])
def test_a_turned_image_is_still_read(decode: Decoder, degrees: int) -> None:
    assert decode(turned(photograph(symbol_png(URL)), degrees)) == [URL]


@both_decoders
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_image_with_a_tenth_covered_at_its_centre_is_still_read(
    decode: Decoder, grey: int
) -> None:
    assert decode(covered(photograph(symbol_png(URL)), grey)) == [URL]


@both_decoders
def test_a_covered_turned_and_blurred_image_is_still_read(decode: Decoder) -> None:
    picture = covered(photograph(symbol_png(URL)), 255)
    assert decode(blurred(turned(picture, 12), 3)) == [URL]


@both_decoders
def test_the_sabotaged_twin_with_error_correction_l_is_lost_when_covered(decode: Decoder) -> None:
    weak = QRCode(error_correction=ERROR_CORRECT_L, box_size=10, border=4)
    weak.add_data(URL)
    picture = weak.make_image().get_image().convert("L")
    assert decode(picture) == [URL]
    for grey in (0, 128, 255):
        assert decode(covered(picture, grey)) == []


def test_the_symbol_has_error_correction_h() -> None:
    (symbol,) = zxingcpp.read_barcodes(photograph(symbol_png(URL)))
    assert symbol.ec_level == "H"


# The sheet


@pytest.mark.parametrize("caption", [None, "WWWW-WWWW-WWWW"])
@pytest.mark.parametrize("module_px", [1, 4, 10])
def test_the_quiet_zone_of_four_modules_is_white_on_all_sides(
    caption: str | None, module_px: int
) -> None:
    picture = photograph(symbol_png(URL, module_px=module_px, caption=caption))
    side = len(symbol_modules(URL)) + 8
    symbol = picture.crop((0, 0, side * module_px, side * module_px))
    ink = ImageChops.invert(symbol).getbbox()
    assert ink == (4 * module_px, 4 * module_px, (side - 4) * module_px, (side - 4) * module_px)


@pytest.mark.parametrize("caption", ["7K2M-Q9XA-TB4N", "WWWW-WWWW-WWWW", "gjpqy", "W" * 32])
def test_a_caption_stands_whole_beneath_the_quiet_zone(caption: str) -> None:
    picture = photograph(symbol_png(URL, caption=caption))
    assert picture.height == picture.width + 60
    band = picture.crop((0, picture.width, picture.width, picture.height))
    ink = ImageChops.invert(band).getbbox()
    assert ink is not None
    left, top, right, bottom = ink
    assert left > 0
    assert top > 0
    assert right < band.width
    assert bottom < band.height
    assert abs(left - (band.width - right)) <= 4


@both_decoders
def test_the_caption_changes_nothing_of_what_is_scanned(decode: Decoder) -> None:
    assert decode(photograph(symbol_png(URL, caption=display_site_code(CODE)))) == [URL]


@pytest.mark.parametrize("length", range(1, 30))
def test_all_codes_of_a_host_have_symbols_of_one_size(length: int) -> None:
    codes = ["000000000000", "ZZZZZZZZZZZZ", "0A0A0A0A0A0A", CODE]
    urls = [site_code_url(code, host="a" * length + ".kr") for code in codes]
    assert len({len(symbol_modules(url)) for url in urls}) == 1


# SVG


def test_an_svg_draws_the_same_pixels_as_the_png() -> None:
    for url in (URL, LONGEST_URL):
        drawing = drawn_from_svg(symbol_svg(url, title="Vote"))
        assert ImageChops.difference(drawing, photograph(symbol_png(url))).getbbox() is None


@both_decoders
def test_an_svg_gives_exactly_the_url_also_when_blurred_turned_and_covered(
    decode: Decoder,
) -> None:
    picture = drawn_from_svg(symbol_svg(URL, title="Vote"))
    assert decode(picture) == [URL]
    assert decode(blurred(turned(covered(picture, 255), 12), 3)) == [URL]
