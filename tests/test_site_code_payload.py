"""Site codes as people read them, type them and scan them."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qr.codes import (
    ALPHABET,
    display_site_code,
    new_site_code,
    normalise_site_code,
    site_code_in_url,
    site_code_url,
)

CODE = "0123ABCDXYZ9"
HOST = "vote.seoul.example"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

codes = st.text(alphabet=CROCKFORD, min_size=12, max_size=12)
hosts = st.sampled_from([HOST, "a.kr", "127.0.0.1:8000", "localhost:18000", "xn--3e0b707e.kr"])
breaks = st.sampled_from(["", "-", " ", " - ", "--", "\t", "\n"])


@st.composite
def spoken_codes(draw: st.DrawFn) -> tuple[str, str]:
    """A code, and one of the ways in which somebody may type it."""
    code = draw(codes)
    ways = {"0": "0Oo", "1": "1IiLl"}
    typed = [draw(st.sampled_from(ways.get(letter, letter + letter.lower()))) for letter in code]
    return code, "".join(draw(breaks) + letter for letter in typed) + draw(breaks)


def test_a_fresh_code_has_twelve_characters_of_crockfords_alphabet() -> None:
    assert ALPHABET == CROCKFORD
    for _ in range(200):
        assert re.fullmatch(f"[{CROCKFORD}]{{12}}", new_site_code())


def test_fresh_codes_do_not_repeat_and_use_the_whole_alphabet_evenly() -> None:
    drawn = [new_site_code() for _ in range(4000)]
    letters = "".join(drawn)
    assert len(set(drawn)) == len(drawn)
    # 1,500 of each are expected with a deviation of 38: six of them are never left by chance.
    assert all(1270 < letters.count(letter) < 1730 for letter in CROCKFORD)


@given(codes)
def test_a_stored_code_is_its_own_normal_form(code: str) -> None:
    assert normalise_site_code(code) == code


@given(spoken_codes())
def test_however_a_code_is_typed_the_same_code_is_understood(pair: tuple[str, str]) -> None:
    code, typed = pair
    assert normalise_site_code(typed) == code


@given(st.text(max_size=80) | st.text(alphabet=CROCKFORD + "ILOUilou- ", max_size=20))
def test_any_text_is_either_a_code_or_refused_as_none(text: str) -> None:
    with suppress(ValueError):
        assert re.fullmatch(f"[{CROCKFORD}]{{12}}", normalise_site_code(text))


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "12 characters, this one has 0"),
        (CODE[:-1], "12 characters, this one has 11"),
        (CODE + "7", "12 characters, this one has 13"),
        ("0123ABCDXYZU", "'U', as character 12"),
        ("0123-ABCD-u111", "'U', as character 9"),
        ("0123_ABCD_XYZ9", "'_', as character 5"),
        ("0123ABCD%5A9", "'%', as character 9"),
        ("0123ABCDXYZ\x00", "'\\\\x00', as character 12"),
        ("０123ABCDXYZ9", "Latin letters and digits"),
        ("ſ123ABCDXYZ9", "Latin letters and digits"),
        ("ı123ABCDXYZ9", "Latin letters and digits"),
        (" " * 1_000_000, "this text has 1000000"),
    ],
)
def test_what_cannot_be_a_code_is_refused_with_the_place_of_the_fault(
    typed: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        normalise_site_code(typed)


def test_a_code_is_shown_in_groups_of_four() -> None:
    assert display_site_code(CODE) == "0123-ABCD-XYZ9"
    assert display_site_code("o1z3 abcd xyz9") == "01Z3-ABCD-XYZ9"


@given(codes)
def test_a_shown_code_reads_back_as_the_stored_one(code: str) -> None:
    assert normalise_site_code(display_site_code(code)) == code


@given(codes, hosts)
def test_the_url_of_a_code_leads_back_to_the_code(code: str, host: str) -> None:
    url = site_code_url(code, host=host)
    assert url == f"https://{host}/q/{code}"
    assert site_code_in_url(url, host=host) == code


def test_a_url_holds_the_stored_form_whatever_was_given() -> None:
    assert site_code_url("oi23-abcd-xyz9", host="Vote.Seoul.Example") == (
        "https://vote.seoul.example/q/0123ABCDXYZ9"
    )


def test_a_url_typed_by_hand_is_understood() -> None:
    assert site_code_in_url(f"HTTPS://VOTE.Seoul.example/q/{CODE.lower()}", host=HOST) == CODE
    assert site_code_in_url(f"https://{HOST}/q/0123-ABCD-XYZ9", host=HOST) == CODE


@pytest.mark.parametrize(
    "url",
    [
        "",
        CODE,
        f"http://{HOST}/q/{CODE}",
        f"//{HOST}/q/{CODE}",
        f"https:///q/{CODE}",
        f"https://{HOST}/Q/{CODE}",
        f"https://{HOST}/q/",
        f"https://{HOST}/q/{CODE}/",
        f"https://{HOST}/q/{CODE}?next=1",
        f"https://{HOST}/q/{CODE}#top",
        f"https://{HOST}/x/q/{CODE}",
        f"https://{HOST}/q/../q/{CODE}",
        f"https://{HOST}/q\\{CODE}",
        f"javascript:https://{HOST}/q/{CODE}",
        f" https://{HOST}/q/{CODE}",
    ],
)
def test_a_url_of_another_form_is_no_site_code(url: str) -> None:
    with pytest.raises(ValueError, match="not the URL of a site code"):
        site_code_in_url(url, host=HOST)


@pytest.mark.parametrize(
    "host",
    [
        "vote.seoul.example.evil.example",
        "evil.example",
        "vote.seoul.example@evil.example",
        "user@vote.seoul.example",
        "vote.seoul.example:8443",
        "vote.seoul.example.",
        "vote\tseoul.example",
        "vоte.seoul.example",  # its second letter is Cyrillic
    ],
)
def test_a_code_that_leads_to_another_host_is_not_believed(host: str) -> None:
    with pytest.raises(ValueError, match="another host"):
        site_code_in_url(f"https://{host}/q/{CODE}", host=HOST)


def test_a_url_with_a_damaged_code_says_what_is_wrong_with_the_code() -> None:
    with pytest.raises(ValueError, match="12 characters, this one has 11"):
        site_code_in_url(f"https://{HOST}/q/{CODE[:-1]}", host=HOST)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "https://vote.example",
        "vote.example/q",
        "vote.example?x",
        "a@b",
        "vote example",
        "vote..example",
        "-vote.example",
        "vote.example:",
        "vote.example:123456",
        "vote.example\n",
        "투표.kr",
        "a." * 130 + "kr",
        "a" * 64 + ".kr",
    ],
)
def test_a_url_is_not_made_for_something_that_is_no_host(host: str) -> None:
    with pytest.raises(ValueError, match="host"):
        site_code_url(CODE, host=host)


@given(st.text(max_size=60))
def test_any_scanned_text_gives_a_code_or_a_refusal(text: str) -> None:
    for url in (text, f"https://{HOST}/q/{text}", f"https://{text}/q/{CODE}"):
        with suppress(ValueError):
            assert re.fullmatch(f"[{CROCKFORD}]{{12}}", site_code_in_url(url, host=HOST))
