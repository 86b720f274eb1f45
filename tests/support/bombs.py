"""Spreadsheets made to use up memory or time, and others that are broken on purpose."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterable

from tests.support.rolls import xlsx_of

SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
STRINGS_ARE_THERE = (
    b'<Relationship Id="rId9" Target="sharedStrings.xml" Type="http://schemas.openxmlformats.org/'
    b'officeDocument/2006/relationships/sharedStrings"/>'
)
HEAD = (
    b'<?xml version="1.0"?>'
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
)
ROWS = HEAD + b"<sheetData>"
END = b"</sheetData></worksheet>"
PLAIN = xlsx_of([["이름", "휴대폰"], ["홍길동", "010-1234-5678"]])
MIB = 2**20


def rewritten(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one part changed."""
    return _copied(content, {part: [change(zipfile.ZipFile(io.BytesIO(content)).read(part))]})


def with_part(part: str, pieces: Iterable[bytes]) -> bytes:
    """A plain workbook in which one part is something else, written piece by piece."""
    return _copied(PLAIN, {part: pieces})


def _copied(content: bytes, parts: dict[str, Iterable[bytes]]) -> bytes:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for name in {**dict.fromkeys(old.namelist()), **parts}:
            with new.open(name, "w") as opened:
                for piece in parts.get(name) or [old.read(name)]:
                    opened.write(piece)
    return file.getvalue()


def with_strings(strings: Iterable[bytes], sheet: bytes = ROWS + END) -> bytes:
    """A workbook whose cells share strings, as Excel itself writes it."""
    relations = zipfile.ZipFile(io.BytesIO(PLAIN)).read(RELATIONS)
    known = relations.replace(b"</Relationships>", STRINGS_ARE_THERE + b"</Relationships>")
    return _copied(PLAIN, {SHEET: [sheet], STRINGS: strings, RELATIONS: [known]})


def zip_bomb() -> bytes:
    """A sheet of zeros, a thousand times as large as its file."""
    return with_part(SHEET, [ROWS, *[bytes(MIB)] * 64])


def many_laughs() -> bytes:
    """Entities that stand for entities."""
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    return with_part(
        SHEET,
        [b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">', laughs, b"]>",
         b"<worksheet><sheetData><row><c t='str'><v>&l9;</v></c></row>", END],
    )  # fmt: skip


def wide_row() -> bytes:
    """A row of a million empty columns."""
    cells = (b'<c s="%d"/>' % (n * n * 7_919 % 9_973) for n in range(1_000_000))
    return with_part(SHEET, [ROWS, b'<row r="1">', *cells, b"</row>", END])


def far_cells() -> bytes:
    """Cells in the last column that there can be."""
    rows = (b'<row r="%d"><c r="XFD%d"/></row>' % (n, n) for n in range(1, 100))
    return with_part(SHEET, [ROWS, *rows, END])


def deep() -> bytes:
    """Elements within elements."""
    return with_part(SHEET, [ROWS, *[b"<a>" * 1_000] * 100])


def long_tag() -> bytes:
    """One tag that does not end."""
    noise = (bytes([97 + (n * 7 + n // 3) % 26]) for n in range(4_000))
    attributes = b"".join(noise)
    many = (b' a%d="%s"' % (n, attributes[n % 500 :]) for n in range(3_000))
    return with_part(SHEET, [ROWS, b"<row", *many, b">", END])


def many_strings() -> bytes:
    """More shared strings than any roll has."""
    return with_strings([b"<sst>", *[b"<si><t/></si>" * 1_000] * 2_600, b"</sst>"])


def many_rows() -> bytes:
    """More rows than Excel has."""
    return with_part(SHEET, [ROWS, b'<row r="1048577"/>', END])


def many_parts() -> bytes:
    """An archive of very many files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        for n in range(3_000):
            new.writestr(f"{n}", b"")
    return file.getvalue()


def packed(method: int) -> bytes:
    """A sheet of zeros in a packing that is unpacked as a whole, and that says it is small."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(PLAIN)) as old,
        zipfile.ZipFile(file, "w") as new,
    ):
        for name in old.namelist():
            content = ROWS + bytes(64 * MIB) if name == SHEET else old.read(name)
            new.writestr(name, content, compress_type=method if name == SHEET else None)
    lying = bytearray(file.getvalue())
    entry = lying.rfind(b"PK\x01\x02", 0, lying.rfind(SHEET.encode()))
    lying[entry + 24 : entry + 28] = struct.pack("<L", MIB)
    return bytes(lying)


def many_names() -> bytes:
    """Elements each of which has a name of its own."""
    return with_part(SHEET, [ROWS, *(b"<a%d/>" % n for n in range(100_000)), END])


def many_attributes() -> bytes:
    """Elements whose attributes have names of their own."""
    return with_part(SHEET, [ROWS, *(b'<row a%d="1"/>' % n for n in range(100_000)), END])


def large_zip(content: bytes, *, says: int | None = None) -> bytes:
    """The same file with an end record as of ZIP64; the usual one says *says* parts, if given."""
    at = content.rfind(b"PK\x05\x06")
    end = bytearray(content[at:])
    parts, size, offset = struct.unpack_from("<HLL", end, 10)
    whole = (b"PK\x06\x06", 44, 45, 45, 0, 0, parts, parts, size, offset)
    if says is not None:
        struct.pack_into("<HHL", end, 8, says, says, 100)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    return content[:at] + struct.pack("<4sQ2H2L4Q", *whole) + locator + bytes(end)


def open_quotes() -> bytes:
    """CSV whose quotes are never closed within a line: all of it is one row."""
    return b'phone\n"' + b'a","\n' * MIB


BOMBS = {
    "zip bomb": (zip_bomb, "too_much"),
    "billion laughs": (many_laughs, "too_much"),
    "a million empty columns": (wide_row, "too_many_columns"),
    "cells far away": (far_cells, "too_many_columns"),
    "deep nesting": (deep, "too_much"),
    "an endless tag": (long_tag, "too_much"),
    "huge shared strings": (many_strings, "too_much"),
    "too many rows": (many_rows, "too_many_rows"),
    "too many parts": (many_parts, "too_much"),
    "too many parts, told in another place": (lambda: large_zip(many_parts(), says=9), "too_much"),
    "packed by bzip2": (lambda: packed(zipfile.ZIP_BZIP2), "not_xlsx"),
    "packed by LZMA": (lambda: packed(zipfile.ZIP_LZMA), "not_xlsx"),
    "very many names": (many_names, "too_much"),
    "very many names of attributes": (many_attributes, "too_much"),
}
