"""A body in which a member stands twice is not read: two programs might read it differently."""

from __future__ import annotations

import json
from typing import TypeAlias

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.parser import read_json
from api.problems import MalformedJson

Text: TypeAlias = tuple[str, str]
"""A text, and how it is written."""
Value: TypeAlias = tuple[str, bool]
"""JSON, and whether a member stands twice in it."""


def by_numbers(text: str) -> str:
    """*text* in JSON, each character by its number: without a quotation mark that shows."""
    return '"' + "".join(f"\\u{ord(each):04x}" for each in text) + '"'


def array(inner: list[Value]) -> Value:
    return "[" + ", ".join(text for text, _ in inner) + "]", any(twice for _, twice in inner)


def object_of(members: list[tuple[Text, Value]]) -> Value:
    written = ",".join(f"{name} :{text}" for (_, name), (text, _) in members)
    names = [name for (name, _), _ in members]
    inner_twice = any(twice for _, (_, twice) in members)
    return "{" + written + "}", inner_twice or len(set(names)) < len(names)


words = st.sampled_from(["a", "b", '"', '""', "\\", "é", ""])
texts = words.map(lambda text: (text, json.dumps(text))) | words.map(
    lambda text: (text, by_numbers(text))
)
values = st.recursive(
    texts.map(lambda text: (text[1], False))
    | st.sampled_from(["null", "true", "7", "-1.5e3", "9" * 300]).map(lambda text: (text, False)),
    lambda inner: (
        st.lists(inner, max_size=3).map(array)
        | st.lists(st.tuples(texts, inner), max_size=3).map(object_of)
    ),
    max_leaves=8,
)


@given(values)
def test_a_body_is_read_unless_a_member_stands_twice_however_it_is_written(value: Value) -> None:
    text, has_a_member_twice = value
    if has_a_member_twice:
        with pytest.raises(MalformedJson):
            read_json(text.encode())
    else:
        assert read_json(text.encode()) == orjson.loads(text)


def test_the_member_that_stands_twice_is_named() -> None:
    with pytest.raises(MalformedJson, match="twice in one object: selections"):
        read_json(b'{"selections": ["a"], "selections": ["b"]}')


@pytest.mark.parametrize("levels", [200, 500, 1000])
@pytest.mark.parametrize("innermost", ["1", '"\\\\"'])
def test_nesting_without_end_is_malformed_and_breaks_nothing(levels: int, innermost: str) -> None:
    text = "[" * levels + innermost + "]" * levels
    try:
        assert read_json(text.encode()) == orjson.loads(text)
    except MalformedJson:
        assert levels > 200
