"""QR symbols of a URL as PNG and SVG files, for print and for screens.

The same arguments give the same bytes, and the files hold no metadata: no date, no author, no
program. Sizes are in modules unless a name ends in `_px`.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from qr.symbol import CAPTION_BAND, QUIET_ZONE, Modules, Sheet, symbol_modules

# 50 pixels make the longest URL's symbol 36 cm wide at 300 dots per inch.
MAX_MODULE_PX = 50

_BLACK, _WHITE = 0, 255
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def symbol_png(url: str, *, module_px: int = 10, caption: str | None = None) -> bytes:
    """A black and white PNG of the URL's symbol, each module `module_px` pixels wide.

    `caption`, such as the readable short code, stands beneath the quiet zone.
    Raises ValueError for a bad URL, caption or module size (1 to 50 pixels).
    """
    _check_module_size(module_px)
    sheet = Sheet(symbol_modules(url), caption)
    picture = Image.new("1", (sheet.width * module_px, sheet.height * module_px), _WHITE)
    corner = (QUIET_ZONE * module_px, QUIET_ZONE * module_px)
    picture.paste(_symbol_picture(sheet.modules, module_px), corner)
    if caption is not None:
        _write_caption(picture, caption, sheet.letter_height * module_px, module_px)
    stream = BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def symbol_svg(url: str, *, title: str, module_px: int = 10, caption: str | None = None) -> bytes:
    """A standalone SVG (UTF-8) of the URL's symbol; `title` is what a screen reader says.

    Its coordinates are modules; `module_px` gives its natural size in CSS pixels.
    Raises ValueError for a bad URL, caption or module size (1 to 50 pixels), or an empty title.
    """
    _check_module_size(module_px)
    sheet = Sheet(symbol_modules(url), caption)
    width, height = sheet.width, sheet.height
    size = (
        f'viewBox="0 0 {width} {height}" width="{width * module_px}" height="{height * module_px}"'
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
        f"<title>{_title_text(title)}</title>",
        # A ground of its own: on a dark page the quiet zone would otherwise be dark.
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<path shape-rendering="crispEdges" fill="#000" d="{"".join(_bars(sheet.modules))}"/>',
        *([] if caption is None else [_caption_element(sheet, caption)]),
        "</svg>\n",
    ]
    return "\n".join(lines).encode("utf-8")


def _check_module_size(module_px: int) -> None:
    if not 1 <= module_px <= MAX_MODULE_PX:
        raise ValueError(f"a module is 1 to {MAX_MODULE_PX} pixels wide, not {module_px}")


def _symbol_picture(modules: Modules, module_px: int) -> Image.Image:
    side = len(modules)
    small = Image.new("1", (side, side))
    small.putdata([_BLACK if dark else _WHITE for row in modules for dark in row])
    return small.resize((side * module_px, side * module_px), Image.Resampling.NEAREST)


def _write_caption(picture: Image.Image, caption: str, letter_px: float, module_px: int) -> None:
    middle = (picture.width / 2, picture.height - CAPTION_BAND * module_px / 2)
    font = ImageFont.load_default(letter_px)
    ImageDraw.Draw(picture).text(middle, caption, fill=_BLACK, font=font, anchor="mm")


def _title_text(title: str) -> str:
    # A control character in a poll's title is no reason to refuse its poster.
    speakable = _NOT_IN_XML.sub(" ", title).strip()
    if not speakable:
        raise ValueError("the image needs a title that a screen reader can say")
    return escape(speakable)


def _bars(modules: Modules) -> Iterator[str]:
    """Each run of dark modules in a row as one closed rectangle of an SVG path."""
    for y, row in enumerate(modules, start=QUIET_ZONE):
        for run in re.finditer("1+", "".join("01"[dark] for dark in row)):
            length = run.end() - run.start()
            yield f"M{run.start() + QUIET_ZONE} {y}h{length}v1h-{length}z"


def _caption_element(sheet: Sheet, caption: str) -> str:
    baseline = sheet.height - CAPTION_BAND / 2 + sheet.letter_height / 3
    return (
        f'<text x="{sheet.width / 2:g}" y="{baseline:.2f}" font-size="{sheet.letter_height:.2f}"'
        f' font-family="monospace" text-anchor="middle" fill="#000">{escape(caption)}</text>'
    )
