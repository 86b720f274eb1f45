"""All broken rows of a .pb file are named at once, a hundred at most, in the file's order."""

from __future__ import annotations

from typing import Any

import pytest

from mvote.budget.pabulib.errors import BrokenPbFile
from mvote.budget.pabulib.faults import MOST_NAMED
from tests.support.hostile import check_problem, no_trace
from tests.support.pb import pb_text, read_text
from tests.support.world import World
from tests.test_pabulib_broken import RIGHT, changed, line_of


def named(text: str | bytes) -> tuple[list[tuple[int, str]], bool]:
    """The rows that the refusal names, each with what is wrong; whether there may be more."""
    with pytest.raises(BrokenPbFile) as caught:
        read_text(text)
    facts: dict[str, Any] = caught.value.facts
    assert (facts["row"], facts["problem"]) == tuple(facts["rows"][0].values())
    return [(each["row"], str(each["problem"])) for each in facts["rows"]], facts["more"]


def test_every_broken_ballot_is_named_and_no_total_is_blamed_for_them() -> None:
    first = line_of("v0")
    text = changed("v0", "v0;nowhere").replace("v1;a", "v1;a;b").replace("v2;b", "v9;b\nv9;a")
    rows, more = named(text)
    assert ([row for row, _ in rows], more) == ([first, first + 1, first + 3], False)
    assert ["no project" in rows[0][1], "2 columns" in rows[1][1]] == [True, True]
    assert "voted before" in rows[2][1]


def test_every_broken_project_is_named_but_no_vote_for_it() -> None:
    rows, _ = named(changed("a;60", "a;much;2", "c;;0", "c,d;5;0"))
    assert [row for row, _ in rows] == [line_of("a;60") + n for n in range(3)]


def test_every_wrong_value_above_the_projects_is_named() -> None:
    text = changed("num_votes", "num_votes;three").replace("budget;100", "budget;NaN")
    rows, _ = named(text.replace("rule;greedy", "rule;fairest"))
    assert [row for row, _ in rows] == sorted(map(line_of, ("num_votes", "budget", "rule")))


def test_every_key_that_is_missing_is_named() -> None:
    lines = [line for line in RIGHT.splitlines() if not line.startswith(("budget", "rule"))]
    rows, _ = named("\n".join(lines))
    assert [problem for _, problem in rows] == ["META has no budget", "META has no rule"]


def test_every_project_whose_votes_were_miscounted_is_named() -> None:
    rows, _ = named(RIGHT.replace("a;60;2", "a;60;7").replace("b;50;2", "b;50;8"))
    assert [row for row, _ in rows] == [line_of("a;60"), line_of("b;50")]


def test_what_was_found_before_the_file_itself_breaks_is_named_too() -> None:
    first = line_of("v0")
    text = changed("v0", "v0;nowhere").encode().replace(b"v2;b", b"v2;\xff")
    rows, _ = named(text)
    assert [row for row, _ in rows] == [first, first + 2]


def test_reading_ends_at_the_hundredth_broken_row() -> None:
    votes = ["nowhere"] * (MOST_NAMED - 1)
    assert (len(named(pb_text({"a": 5}, votes, 9))[0]), named(pb_text({"a": 5}, votes, 9))[1]) == (
        MOST_NAMED - 1, False,
    )  # fmt: skip
    rows, more = named(pb_text({"a": 5}, [*votes, *["nowhere"] * 500], 9))
    assert (len(rows), more) == (MOST_NAMED, True)


def test_who_sends_it_is_told_of_every_row_in_their_language_and_nothing_is_kept(
    world: World,
) -> None:
    body = RIGHT.replace("v0;", "v0;x,").replace("v2;b", "v2;y").encode()
    administrator = world.administrator()
    for language, word in (("ko", "사업"), ("en", "project")):
        headers = administrator.headers | {"Accept-Language": language}
        with no_trace(world):
            answer = world.client.post(
                "/v1/cycles/import", data=body, headers=headers,
                content_type="text/plain; charset=utf-8",
            )  # fmt: skip
        said = check_problem(answer, 422, "broken-pb-file", language)
        first = line_of("v0")
        assert [each["row"] for each in said["rows"]] == [first, first + 2]
        assert all(word in each["problem"] for each in said["rows"])
    assert (world.count("cycle"), said["more"]) == (0, False)
