"""Every sentence that the server says has its words in every language, and stands nowhere else.

Each rule is also shown a catalogue, or a piece of code, that breaks it.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from mvote.languages import TRANSLATIONS
from mvote.wording import PLACE
from ops.messages import brought_up_to_date, marked_sentences, read
from tests.support.code import ROOT, Module, modules

FILES = sorted(TRANSLATIONS.glob("*.po"))
HANGUL = re.compile(r"[ㄱ-ㆎ가-힣]")
PAGE_PLACE = re.compile(r"%\((\w+)\)s")
PARTICLE = re.compile(
    r"}[’”]?(을|를|이|가|은|는|과|와|으로|로|아|야)(?![가-힣])|\((을|를|이|가|은|는|으)\)"
)
"""A particle whose form hangs on the sound before it, behind a fact: nobody knows that sound."""
POLITE = re.compile(r"(다|요|까)[.?](\)|$)|(다|요)\(\{\w+\}건\)\.$|: \{?.+\}?\.?$|\(.+\)\.$")
GUIDE = ROOT / "docs" / "languages.md"
INSTEAD = ("수탁자", "프로젝트", "옵션", "선거구", "사용자", "유저", "안건지", "카테고리", "트래커",
           "주기")  # fmt: skip
"""Other words for what has one: 보관위원, 사업, 선택지, 구역, 시민, 분야, 예산 과정."""
KOREAN_PLACES = (
    "api/demo/",  # what made-up people of the demo say
    "api/commands/people.py",  # the demo's department
    "api/polls/examples.py",  # bodies that the contract shows, with texts in both languages
    "mvote/polls/similar.py",  # an example in a docstring
    "api/description.md",  # the promise to voters, in both languages for who reads the contract
    "mvote/budget/bigrams.py",  # particles of Korean words, to find similar proposals
    "geo/korea.py",  # endings of the names of cities and districts
    "geo/neighbourhood.py",  # the names of two kinds of areas, in a comment
    "mvote/polls/rolls/columns.py",  # headings that organisers give to a column of numbers
    "mvote/languages.py",  # examples in docstrings
)
SAID = {"Fault": 1, "NotAllowed": 0, "NotFound": 0, "Flaw": 0, "BrokenPbFile": 1,
        "AllocationImpossible": 0, "Matching": 1}  # fmt: skip
"""What takes a sentence, and at which place."""
Rule = Callable[[Message, str], Iterator[str]]


def has_words(sentence: Message, language: str) -> Iterator[str]:
    if not all(_forms(sentence)) or sentence.fuzzy:
        yield f"no words: {sentence.id}"


def has_a_form_for_every_number(sentence: Message, language: str) -> Iterator[str]:
    wanted = Catalog(locale=language.replace("-", "_")).num_plurals
    if isinstance(sentence.id, tuple) and len(_forms(sentence)) != wanted:
        yield f"{wanted} forms wanted: {sentence.id}"


def speaks_of_the_same_facts(sentence: Message, language: str) -> Iterator[str]:
    wanted = {fact for text in _texts(sentence) for fact in _facts(text)}
    for form in _forms(sentence):
        if form and set(_facts(form)) != wanted:
            yield f"other facts than {sorted(wanted)}: {form}"


def is_in_korean(sentence: Message, language: str) -> Iterator[str]:
    has_english = re.search(r"[A-Za-z]{2}", _bare(_texts(sentence)[0]))
    for form in _forms(sentence):
        if language == "ko" and has_english and not HANGUL.search(form):
            yield f"not in Korean: {form}"


def has_no_particle_behind_a_fact(sentence: Message, language: str) -> Iterator[str]:
    for form in _forms(sentence):
        if language == "ko" and PARTICLE.search(form):
            yield f"a particle behind a fact: {form}"


def is_polite(sentence: Message, language: str) -> Iterator[str]:
    is_whole = _texts(sentence)[0].endswith((".", "?"))
    for form in _forms(sentence):
        if language == "ko" and is_whole and not POLITE.search(form):
            yield f"not polite: {form}"


RULES: tuple[Rule, ...] = (
    has_words, has_a_form_for_every_number, speaks_of_the_same_facts, is_in_korean,
    has_no_particle_behind_a_fact, is_polite,
)  # fmt: skip
BROKEN: dict[Rule, Message] = {
    has_words: Message("Nothing.", ""),
    has_a_form_for_every_number: Message(("{n} day", "{n} days"), ("{n}일", "{n}일")),
    speaks_of_the_same_facts: Message("At most {most}.", "최대 {many}입니다."),
    is_in_korean: Message("Nothing.", "Nothing."),
    has_no_particle_behind_a_fact: Message("{key} is missing.", "{key}을 찾을 수 없습니다."),
    is_polite: Message("Go in.", "들어가라."),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_sentence(rule: Rule, file: Path) -> None:
    sentences = [each for each in read(file.read_bytes(), file.stem) if each.id]
    assert len(sentences) > 400
    assert [fault for each in sentences for fault in rule(each, file.stem)] == []


@pytest.mark.parametrize("rule", RULES)
def test_a_sentence_that_breaks_the_rule_is_found(rule: Rule) -> None:
    assert list(rule(BROKEN[rule], "ko"))


def test_a_sentence_marked_as_doubtful_counts_as_one_without_words() -> None:
    assert list(has_words(Message("Nothing.", "없습니다.", flags=("fuzzy",)), "ko"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_files_have_exactly_the_sentences_of_the_code(file: Path) -> None:
    """Else: `make messages`, and write the words of what is new."""
    content = file.read_bytes()
    assert brought_up_to_date(content, file.stem, list(marked_sentences())) == content


def test_bringing_up_to_date_keeps_words_and_drops_what_is_said_no_more() -> None:
    before = b'msgid ""\nmsgstr ""\n\nmsgid "Old."\nmsgstr "1."\n\nmsgid "Kept."\nmsgstr "2."\n'
    after = read(brought_up_to_date(before, "ko", ["Kept.", "New.", ("{n} day", "{n} days")]), "ko")
    assert {each.id: each.string for each in after if each.id} == {
        "Kept.": "2.", "New.": "", ("{n} day", "{n} days"): ("",),
    }  # fmt: skip


def test_the_page_for_translators_is_true(tmp_path: Path) -> None:
    page = GUIDE.read_text()
    [begin] = re.findall(r"^ *(printf .* > translations/(pl)\.po)$", page, re.MULTILINE)
    (tmp_path / "translations").mkdir()
    subprocess.run(["sh", "-c", begin[0]], cwd=tmp_path, check=True)
    begun = (tmp_path / "translations" / "pl.po").read_bytes()
    polish = read(brought_up_to_date(begun, begin[1], list(marked_sentences())), begin[1])
    assert polish.num_plurals == 3
    assert {len(_forms(each)) for each in polish if isinstance(each.id, tuple)} == {3}
    for path in re.findall(r"`((?:mvote|api|translations|tests)/[\w/.]+)`", page):
        assert (ROOT / path).exists() or path.endswith("pl.po"), path
    assert "messages:" in (ROOT / "Makefile").read_text()


def test_one_korean_word_stands_for_one_thing() -> None:
    korean = (TRANSLATIONS / "ko.po").read_text()
    agreed = re.findall(
        r"([가-힣 ]{2,}) ([a-z]+(?: [a-z]+)*)[,.]", GUIDE.read_text().split("The same words")[1]
    )
    assert len(agreed) >= 20
    assert [word for word, _ in agreed if word.strip() not in korean] == []
    assert [word for word in INSTEAD if word in korean] == []


def test_korean_stands_in_the_catalogue_alone() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _sources()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if HANGUL.search(line) and not str(path.relative_to(ROOT)).startswith(KOREAN_PLACES)
    ]
    assert found == []


def test_every_sentence_that_is_raised_is_marked() -> None:
    found = [
        f"{module.name}:{line}"
        for module in modules()
        if module.package in ("mvote", "geo", "api") and not module.name.startswith("api.demo")
        for line in (*unmarked(module), *marked_otherwise(module))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    ['raise InvalidRequest(Fault("/a", "Too many."))', 'raise NotAllowed(f"not {you}")',
     'raise ma.ValidationError("Too many.", "a")', 'Regexp(X, error="Not a key.")',
     'raise InvalidParameter(("query", "a", "Too many."))',
     'default_error_messages = {"long": "Too long."}'],
)  # fmt: skip
def test_an_unmarked_sentence_is_found(code: str) -> None:
    assert list(unmarked(Module("api.made_up", code)))


@pytest.mark.parametrize(
    "code", ['say(f"{n} days")', "say(TEXT)", 'say_number("day", many, 2)', "f\"{say('days')}\""]
)
def test_a_mark_that_translators_would_not_find_is_found(code: str) -> None:
    assert list(marked_otherwise(Module("mvote.made_up", code)))


def unmarked(module: Module) -> Iterator[int]:
    """The lines in which a sentence is given away that nobody can translate."""
    for node in module.nodes(ast.Call):
        assert isinstance(node, ast.Call)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        place = 0 if (name, module.package) == ("ValidationError", "api") else SAID.get(name)
        given = node.args[place : place + 1] if place is not None else []
        given += [each.value for each in node.keywords if each.arg == "error" and name != "emit"]
        if name == "InvalidParameter":
            given += [each.elts[-1] for each in node.args if isinstance(each, ast.Tuple)]
        yield from (each.lineno for each in given if _is_text(each))
    for node in module.nodes(ast.Assign):
        assert isinstance(node, ast.Assign)
        if ast.unparse(node.targets[0]) == "default_error_messages":
            values = node.value.values if isinstance(node.value, ast.Dict) else []
            yield from (each.lineno for each in values if _is_text(each))


def marked_otherwise(module: Module) -> Iterator[int]:
    """The lines in which a mark holds something else than a sentence, or stands in an f-string."""
    for node in module.nodes(ast.Call):
        assert isinstance(node, ast.Call)
        marks = {"say": 1, "say_number": 2}.get(ast.unparse(node.func), 0)
        if any(not isinstance(each, ast.Constant) for each in node.args[:marks]):
            yield node.lineno
    for node in module.nodes(ast.JoinedStr):
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call) and ast.unparse(inner.func) in ("say", "say_number"):
                yield inner.lineno


def _is_text(node: ast.expr) -> bool:
    is_constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_constant or isinstance(node, ast.JoinedStr)


def _sources() -> Iterator[Path]:
    for folder in ("mvote", "geo", "qr", "api"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".typ", ".html", ".js", ".css", ".md", ".svg"):
                yield path
    yield ROOT / "jobs.py"


def _texts(sentence: Message) -> tuple[str, ...]:
    return (sentence.id,) if isinstance(sentence.id, str) else tuple(sentence.id)


def _forms(sentence: Message) -> tuple[str, ...]:
    return (sentence.string,) if isinstance(sentence.string, str) else tuple(sentence.string or ())


def _facts(text: str) -> list[str]:
    return PLACE.findall(text) + PAGE_PLACE.findall(text)


def _bare(text: str) -> str:
    return PAGE_PLACE.sub("", PLACE.sub("", text))
