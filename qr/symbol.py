"""The QR symbol of a URL as modules, and how it lies on a sheet with its caption.

Symbols follow ISO/IEC 18004: error correction level H (30 % of the codewords may be lost) and a
quiet zone of 4 modules. All sizes are in modules, the small squares of a symbol.
"""

from dataclasses import dataclass

from qrcode.constants import ERROR_CORRECT_H
from qrcode.main import QRCode

Modules = tuple[tuple[bool, ...], ...]

QUIET_ZONE = 4
# The longest URL of a site code (DNS names end at 253 characters) fits; symbols stay printable.
MAX_URL_BYTES = 280
MAX_CAPTION_LENGTH = 32

CAPTION_BAND = 6
_CAPTION_LETTER = 4.0
_LETTER_WIDTH = 0.75  # of its height: generous, so that a caption stays within the symbol's width


@dataclass(frozen=True)
class Sheet:
    """A symbol within its quiet zone, and beneath it a band for the caption if there is one.

    Raises ValueError for a caption that is not 1 to 32 printable ASCII characters.
    """

    modules: Modules
    caption: str | None = None

    def __post_init__(self) -> None:
        if self.caption is not None:
            _check_caption(self.caption)

    @property
    def width(self) -> int:
        return len(self.modules) + 2 * QUIET_ZONE

    @property
    def height(self) -> int:
        return self.width if self.caption is None else self.width + CAPTION_BAND

    @property
    def letter_height(self) -> float:
        letters = len(self.caption or "-")
        return min(_CAPTION_LETTER, len(self.modules) / (_LETTER_WIDTH * letters))


def symbol_modules(url: str) -> Modules:
    """The symbol of a URL without its quiet zone: square rows from the top, True is dark.

    Raises ValueError unless the URL is 1 to 280 printable ASCII characters without a space.
    """
    if not (url.isascii() and url.isprintable() and " " not in url):
        raise ValueError("a QR code's URL has only printable ASCII characters, and no space")
    if not 1 <= len(url) <= MAX_URL_BYTES:
        raise ValueError(f"a QR code's URL has 1 to {MAX_URL_BYTES} characters, not {len(url)}")
    symbol = QRCode(error_correction=ERROR_CORRECT_H, border=0)
    # One segment of bytes: the size then depends on the length alone, so all posters match.
    symbol.add_data(url.encode("ascii"), optimize=0)
    return tuple(tuple(bool(dark) for dark in row) for row in symbol.get_matrix())


def symbol_rows(url: str) -> list[str]:
    """The symbol of a URL without its quiet zone, rows of 1 (dark) and 0. Raises ValueError."""
    return ["".join("01"[dark] for dark in row) for row in symbol_modules(url)]


def _check_caption(caption: str) -> None:
    # The font that comes with Pillow draws no other letters.
    if not (caption.isascii() and caption.isprintable()):
        raise ValueError("a caption has only printable ASCII characters")
    if not 1 <= len(caption) <= MAX_CAPTION_LENGTH:
        raise ValueError(f"a caption has 1 to {MAX_CAPTION_LENGTH} characters")
