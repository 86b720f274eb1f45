"""The ceremony and the drill, offline: nothing but enough whole shares of one ceremony will do."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from shamir_mnemonic import Share, combine_mnemonics
from shamir_mnemonic.wordlist import WORDLIST

from mvote.ballotbox import ceremony
from mvote.ballotbox.share_problems import ShareProblem
from mvote.ballotbox.shares import private_key_of, read_words, typed_share
from tests.support.trustees import NAMES, Ceremony, hold, shares_of


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    return hold(tmp_path_factory.mktemp("held") / "out")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    return hold(tmp_path_factory.mktemp("other") / "out")


def problem_with(held: Ceremony, number: int, text: str) -> ShareProblem:
    """What is said when the trustee with that number types *text*."""
    record = held.record
    place = record.places[number - 1]
    with pytest.raises(ShareProblem) as problem:
        typed_share(record, place, read_words(text, place))
    return problem.value


def test_any_three_of_five_shares_give_the_key_and_no_two_do(held: Ceremony) -> None:
    for group in combinations(range(1, 6), 3):
        private = private_key_of(held.record, shares_of(held, list(group)))
        assert private.public_key().public_bytes_raw() == held.record.public_key
    with pytest.raises(ShareProblem) as problem:
        private_key_of(held.record, shares_of(held, [1, 5]))
    assert problem.value.code == "too-few"


def test_the_words_are_plain_slip39_that_any_other_program_can_put_together(
    held: Ceremony,
) -> None:
    secret = combine_mnemonics([held.words(number) for number in (2, 3, 5)])
    private = X25519PrivateKey.from_private_bytes(secret)
    assert private.public_key().public_bytes_raw() == held.record.public_key


def test_each_trustee_gets_a_sheet_with_their_own_33_words_numbered(held: Ceremony) -> None:
    for number, name in enumerate(NAMES, start=1):
        page = held.sheet(number)
        words = held.words(number).split()
        assert len(words) == 33
        assert set(words) <= set(WORDLIST)
        assert name in page
        assert held.key in page
        assert held.record.hash.hex() in page
        others = {w for n in range(1, 6) if n != number for w in [held.words(n)]}
        assert not any(each in page for each in others)
        assert "하지 마세요" in page
        assert "Take no photograph" in page


def test_names_are_only_text_on_a_sheet(tmp_path: Path) -> None:
    held = hold(tmp_path / "out", threshold=2, names=["<b>굵게</b>", 'O"Neill & Kim'])
    assert "<b>굵게</b>" not in held.sheet(1)
    assert "&lt;b&gt;굵게&lt;/b&gt;" in held.sheet(1)


def test_the_record_is_public_canonical_and_tells_no_word(held: Ceremony) -> None:
    content = held.record_file.read_bytes()
    document = json.loads(content)
    assert set(document) == {"format", "made_on", "public_key", "threshold", "identifier",
                             "salt", "shares"}  # fmt: skip
    assert [share["name"] for share in document["shares"]] == NAMES
    told = {value for share in document["shares"] for value in share.values()}
    told |= {value for value in document.values() if isinstance(value, str)}
    words = {word for each in held.all_words() for word in each.split()}
    assert told.isdisjoint(words)  # a member's name may happen to be a word of the list


def test_a_fingerprint_cannot_be_guessed_at_a_plain_hashs_speed(held: Ceremony) -> None:
    """Whoever knows all words but two could try those; each try must cost memory and time."""
    place, words = held.record.places[0], held.words(1).split()
    began = time.process_time()
    typed_share(held.record, place, words)
    assert time.process_time() - began > 0.02


def test_files_are_for_their_owner_alone(held: Ceremony) -> None:
    for path in (held.folder, *held.folder.iterdir()):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_the_private_key_is_in_no_file_in_any_form(held: Ceremony) -> None:
    secret = combine_mnemonics([held.words(number) for number in (1, 2, 3)])
    for path in held.folder.iterdir():
        content = path.read_bytes()
        assert secret not in content
        assert secret.hex().encode() not in content.lower()


def test_what_the_ceremony_writes_to_the_disk_is_its_sheets_and_record_only(
    tmp_path: Path,
) -> None:
    """Every file that is opened for writing while the key is there, as the system sees it."""
    code = (
        "import sys\nopened = []\n"
        "def seen(event, given):\n"
        "    if event == 'open' and not isinstance(given[0], int):\n"
        "        opened.append((str(given[0]), given[2]))\n"
        "sys.addaudithook(seen)\n"
        "from mvote.ballotbox import ceremony\n"
        f"ceremony.main(['make', '--threshold', '2', '--shares', '2', '--names', 'A', 'B',"
        f" '--out', {str(tmp_path / 'out')!r}])\n"
        "import os\n"
        "print([p for p, flags in opened if flags and flags & (os.O_WRONLY | os.O_RDWR)])\n"
    )
    written = eval(_python(code))  # noqa: S307  # a list of paths that we have printed
    names = {Path(path).name.split(".html")[0].split(".json")[0].lstrip(".") for path in written}
    assert names == {"sheet-01", "sheet-02", "ceremony"}
    assert all(path.startswith(str(tmp_path / "out")) for path in written)


def test_the_ceremony_needs_neither_web_nor_database() -> None:
    code = "import sys; from mvote.ballotbox import ceremony; print(sorted(sys.modules))"
    loaded = set(eval(_python(code)))  # noqa: S307
    assert loaded.isdisjoint({"flask", "sqlalchemy", "psycopg", "api", "geo", "orjson"})


def _python(code: str) -> str:
    environ = {name: value for name, value in os.environ.items() if "DATABASE" not in name}
    words = [sys.executable, "-B", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environ)
    return done.stdout


@pytest.mark.parametrize(
    ("threshold", "names"),
    [(1, ["A", "B"]), (3, ["A", "B"]), (2, ["A", "A"]), (2, ["A"]), (2, ["A", "B" * 61]),
     (2, ["A", "B\nC"]), (2, [f"N{n}" for n in range(17)])],
)  # fmt: skip
def test_a_ceremony_that_makes_no_sense_is_refused_and_writes_nothing(
    tmp_path: Path, threshold: int, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["make", "--threshold", str(threshold), "--shares", str(len(names)), "--names",
             *names, "--out", str(out)]  # fmt: skip
    assert ceremony.main(words) == 1
    assert list(out.iterdir()) == []
    assert capsys.readouterr().err


def test_a_folder_that_holds_something_is_not_written_to(held: Ceremony) -> None:
    before = {path: path.read_bytes() for path in held.folder.iterdir()}
    words = ["make", "--threshold", "2", "--shares", "2", "--names", "A,B", "--out",
             str(held.folder)]  # fmt: skip
    assert ceremony.main(words) == 1
    assert {path: path.read_bytes() for path in held.folder.iterdir()} == before


def test_words_may_be_typed_with_numbers_in_capitals_or_by_their_first_four_letters(
    held: Ceremony,
) -> None:
    place = held.record.places[0]
    words = held.words(1).split()
    numbered = " ".join(f"{n}. {word.upper()}," for n, word in enumerate(words, start=1))
    assert read_words(numbered, place) == words
    assert read_words(" ".join(word[:4] for word in words), place) == words


def test_a_wrong_word_is_named_by_its_number_and_trustee_without_being_repeated(
    held: Ceremony,
) -> None:
    words = held.words(2).split()
    problem = problem_with(held, 2, " ".join([*words[:6], "secretword", *words[7:]]))
    assert (problem.code, problem.facts) == ("wrong-word", {"word": 7})
    assert "2. 이두리" in str(problem)
    assert not any(f" {word} " in f" {problem} " for word in [*words, "secretword"])


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 32), word=st.sampled_from(WORDLIST))
def test_any_one_changed_word_is_found(held: Ceremony, place: int, word: str) -> None:
    words = held.words(3).split()
    if words[place] == word:
        return
    words[place] = word
    assert problem_with(held, 3, " ".join(words)).code in ("wrong-checksum", "altered")


@settings(max_examples=40, deadline=None)
@given(place=st.integers(0, 31))
def test_two_words_in_the_wrong_order_are_found(held: Ceremony, place: int) -> None:
    words = held.words(3).split()
    if words[place] == words[place + 1]:
        return
    words[place], words[place + 1] = words[place + 1], words[place]
    assert problem_with(held, 3, " ".join(words)).code == "wrong-checksum"


@pytest.mark.parametrize("count", [1, 20, 32, 34])
def test_a_share_with_too_few_or_too_many_words_is_refused(held: Ceremony, count: int) -> None:
    words = (held.words(1).split() * 2)[:count]
    problem = problem_with(held, 1, " ".join(words))
    assert (problem.code, problem.facts["words"]) == ("wrong-length", count)


def test_a_share_of_another_ceremony_or_of_another_trustee_is_named(
    held: Ceremony, other: Ceremony
) -> None:
    assert problem_with(held, 1, other.words(1)).code == "other-ceremony"
    problem = problem_with(held, 1, held.words(4))
    assert (problem.code, problem.facts) == ("other-share", {"found": 4})
    assert "1. 김하나" in str(problem)
    assert "4" in str(problem)


def test_a_whole_share_that_somebody_made_up_for_this_ceremony_is_found(held: Ceremony) -> None:
    share = Share.from_mnemonic(held.words(2))
    forged = replace(share, value=bytes([share.value[0] ^ 1]) + share.value[1:])
    assert problem_with(held, 2, forged.mnemonic()).code == "altered"


def test_the_same_share_twice_is_named(held: Ceremony) -> None:
    with pytest.raises(ShareProblem) as problem:
        private_key_of(held.record, shares_of(held, [1, 2, 2]))
    assert problem.value.code == "duplicate"
    assert "2. 이두리" in str(problem.value)
