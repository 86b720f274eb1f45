"""What a camera makes of a printed code, and two independent programs that read it."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageFilter
from pyzbar import pyzbar

Decoder = Callable[[Image.Image], list[str]]


def zbar(picture: Image.Image) -> list[str]:
    return [symbol.data.decode() for symbol in pyzbar.decode(picture)]


def zxing(picture: Image.Image) -> list[str]:
    return [symbol.text for symbol in zxingcpp.read_barcodes(picture)]


both_decoders = pytest.mark.parametrize("decode", [zbar, zxing])


def photograph(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("L")


def blurred(picture: Image.Image, radius_px: float) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(radius_px))


def turned(picture: Image.Image, degrees: float) -> Image.Image:
    return picture.rotate(degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=255)


def covered(picture: Image.Image, grey: int, module_px: int = 10) -> Image.Image:
    """A square sticker upon the centre, a tenth of the symbol's area without its quiet zone."""
    side = round((picture.width - 8 * module_px) * 0.1**0.5)
    start = (picture.width - side) // 2
    sticker = picture.copy()
    sticker.paste(grey, (start, start, start + side, start + side))
    return sticker


def in_perspective(picture: Image.Image) -> Image.Image:
    """As seen from its left: its right edge is a fifth smaller."""
    width, height = picture.size
    near, far, inset = 0.0, width * 0.9, height * 0.1
    seen = ((near, 0), (far, inset), (far, height - inset), (near, height))
    drawn = ((0, 0), (width, 0), (width, height), (0, height))
    rows, right = [], []
    for (x, y), (u, v) in zip(drawn, seen, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
        right += [x, y]
    how = tuple(np.linalg.solve(np.array(rows), np.array(right)))
    return picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, how, Image.Resampling.BICUBIC, fillcolor=255
    )


def folded(picture: Image.Image) -> Image.Image:
    """Folded twice and opened again: two creases without ink, one half bent away and darker."""
    width, height = picture.size
    half, narrow = width // 2, round(width // 2 * 0.97)
    paper = Image.new("L", (half + narrow, height), 255)
    paper.paste(picture.crop((0, 0, half, height)), (0, 0))
    bent = picture.crop((half, 0, width, height)).resize((narrow, height))
    paper.paste(bent.point(lambda grey: grey * 0.75), (half, 0))
    crease = max(2, width // 100)
    paper.paste(255, (half - crease // 2, 0, half + crease - crease // 2, height))
    paper.paste(255, (0, height // 2, paper.width, height // 2 + crease))
    return paper


Spoiling = Callable[[Image.Image], Image.Image]
SPOILT: dict[str, Spoiling] = {
    "as it is": lambda picture: picture,
    "blurred": lambda picture: blurred(picture, 2),
    "turned by 17 degrees": lambda picture: turned(picture, 17),
    "turned by 133 degrees": lambda picture: turned(picture, 133),
    "in perspective": in_perspective,
    "folded": folded,
}
"""What may happen to a sheet between the printer and the camera."""


def pages_of(pdf: bytes, dpi: int = 100) -> list[Image.Image]:
    """Each page of a PDF as a grey picture with so many dots per inch."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=dpi / 72).to_pil().convert("L") for page in document]


def with_a_tenth_covered(page: Image.Image) -> Image.Image:
    """A white sticker upon the centre of the page's one symbol, a tenth of the symbol's area."""
    (symbol,) = zxingcpp.read_barcodes(page)
    corners = symbol.position
    points = (corners.top_left, corners.top_right, corners.bottom_right, corners.bottom_left)
    left, right = min(p.x for p in points), max(p.x for p in points)
    top, bottom = min(p.y for p in points), max(p.y for p in points)
    half = round((right - left) * 0.1**0.5 / 2)
    x, y = (left + right) // 2, (top + bottom) // 2
    sticker = page.copy()
    sticker.paste(255, (x - half, y - half, x + half, y + half))
    return sticker
