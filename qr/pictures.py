"""Pictures that citizens send, made anew: the same to look at, without anything else in the file.

A camera writes place, time and device into a picture; a file may hide more behind it. Only what is
seen is drawn again.
"""

from io import BytesIO

from PIL import Image, ImageOps

MOST_PIXELS = 12_000_000
"""A telephone's picture; drawing a million of them keeps a processor busy for 0.2 s."""
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
JPEG_QUALITY = 88


class NoPicture(ValueError):
    """`no-picture`: none of a kind that is taken, or a broken one; `too-large`: too many pixels;
    `moving`: more than one picture in it."""


def drawn_anew(content: bytes) -> tuple[bytes, str]:
    """The picture in a PNG, JPEG or WebP file, in a new file of that kind, and its media type.

    Turned as its metadata says, which are then gone. Raises NoPicture.
    """
    try:
        with Image.open(BytesIO(content), formats=list(FORMATS)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise NoPicture("too-large")
            if getattr(picture, "n_frames", 1) > 1:
                raise NoPicture("moving")
            kind = str(picture.format)
            return _written(ImageOps.exif_transpose(picture), kind), FORMATS[kind]
    except Image.DecompressionBombError:  # Pillow's own limit is far above ours
        raise NoPicture("too-large") from None
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, NoPicture):
            raise
        raise NoPicture("no-picture") from None


def _written(picture: Image.Image, kind: str) -> bytes:
    mode = "RGBA" if kind != "JPEG" and picture.has_transparency_data else "RGB"
    bare = Image.new(mode, picture.size)
    bare.paste(picture.convert(mode))
    stream = BytesIO()
    bare.save(stream, kind, **({"quality": JPEG_QUALITY} if kind != "PNG" else {"optimize": True}))
    return stream.getvalue()
