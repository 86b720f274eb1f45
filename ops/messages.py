"""Bringing the files for translators up to date with the code: `make messages`.

Each `translations/<tag>.po` gets every sentence that the code and the pages mark, keeps the words
it has for it, and loses what is said no more. New sentences come without words: somebody has to
write them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from mvote.languages import TRANSLATIONS, locale_of
from mvote.wording import counted

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("mvote", "geo", "api")
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
MARKS = {"say": None, "say_number": (1, 2), "_": None, "ngettext": (1, 2)}
"""What marks a sentence: `mvote.wording` in code, `_` and `ngettext` in pages."""
NOT_CITIZENS = ("api/demo",)
"""What stands there is what made-up people say, in one language like everything people say."""
Sentence = str | tuple[str, str]


def main() -> int:
    """Write every file anew; the exit status."""
    sentences = list(marked_sentences())
    for path in sorted(TRANSLATIONS.glob("*.po")):
        content = brought_up_to_date(path.read_bytes(), path.stem, sentences)
        path.write_bytes(content)
        left = sum(bool(each.id) and not each.string for each in read(content, path.stem))
        sys.stdout.write(f"{path.name}: {counted(left, 'sentence')} without words\n")
    return 0


def marked_sentences() -> Iterator[Sentence]:
    """Every sentence that can be said in several languages, each once; two forms as a pair."""
    seen: set[Sentence] = set()
    for folder in FOLDERS:
        for name, _, sentence, _, _ in extract_from_dir(ROOT / folder, METHODS, keywords=MARKS):
            found = sentence if isinstance(sentence, str) else (sentence[0], sentence[1])
            if not f"{folder}/{name}".startswith(NOT_CITIZENS) and found not in seen:
                seen.add(found)
                yield found


def brought_up_to_date(content: bytes, language: str, sentences: list[Sentence]) -> bytes:
    """The file for translators with exactly these *sentences*, in the order of the alphabet."""
    known = read(content, language)
    new = Catalog(locale=str(locale_of(language)), project="mvote", fuzzy=False)
    new.header_comment = known.header_comment
    for sentence in sentences:
        old = known.get(sentence)
        fits = old is not None and isinstance(old.id, str) == isinstance(sentence, str)
        new.add(sentence, old.string if fits and old else None, flags=old.flags if old else ())
    written = BytesIO()
    write_po(written, new, width=100, sort_output=True, no_location=True, omit_header=False)
    return _without_dates(written.getvalue())


def read(content: bytes, language: str) -> Catalog:
    """A file for translators, as Babel has it."""
    return read_po(BytesIO(content), locale=str(locale_of(language)), ignore_obsolete=True)


def _without_dates(content: bytes) -> bytes:
    """Without the lines that differ each time: git knows who wrote what and when."""
    idle = (b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Last-Translator', b'"Generated-By',
            b'"Report-Msgid', b'"Language-Team', b'"Project-Id')  # fmt: skip
    lines = content.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(idle))


if __name__ == "__main__":
    sys.exit(main())
