"""The catalogue of a ballot: every project on it, tagged to be read aloud, made once, apart."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api import rendering
from api.budget import catalogue
from api.rendering import render
from mvote.budget.cataloguing import LONGEST_SUMMARY, summary_of
from qr.catalogue import catalogue_pdf
from qr.letters import MISSING, korean_font, printable, signs_of
from tests.support.delivering import on_the_ballot, walk
from tests.support.hostile import no_trace
from tests.support.places import add_area, box, polygon
from tests.support.proposals import Town, refused
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.world import World

HERE = {"lat": 37.5663, "lon": 126.9779}
PROJECT = {
    "reference": "2027-0001", "title": "버스정류장 그늘막", "summary": "그늘을 만듭니다.",
    "amount": "6,000,000원", "place": "종로구", "struck": False,
}  # fmt: skip


def document(*projects: dict[str, Any]) -> dict[str, Any]:
    chapters = [{"title": "공원", "projects": list(projects)}]
    names = ("count", "numbers", "order", "costs", "contents", "struck", "cost", "place")
    words = {name: f"말 {name}" for name in names}
    return {"language": "ko", "title": "안내", "words": words, "chapters": chapters}


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle with two titled headings."""
    headings = [
        {"key": "city", "title": {"ko": "시 전체 사업"}, "limit": 800_000_000},
        {"key": "parks", "title": {"ko": "공원", "en": "Parks"}, "parent": "city"},
        {"key": "local", "limit": 200_000_000},
    ]
    return Town(world, headings=headings)


def ask(town: Town, **headers: str) -> TestResponse:
    path = f"/v1/cycles/{town.cycle_id}/catalogue.pdf"
    return town.world.client.get(path, headers=headers)


def read(answer: TestResponse) -> PdfReader:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.mimetype == "application/pdf"
    return PdfReader(BytesIO(answer.get_data()))


def text_of(pdf: PdfReader) -> str:
    """All its text, in one line."""
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).split())


def root_of(pdf: PdfReader) -> Any:
    """The catalogue of the document (ISO 32000-1, 7.7.2)."""
    return pdf.trailer["/Root"]


def tags_of(pdf: PdfReader) -> list[str]:
    """The kinds of its structure elements, in reading order."""
    found: list[str] = []

    def walk_down(node: Any) -> None:
        node = node.get_object() if isinstance(node, IndirectObject) else node
        if isinstance(node, list):
            for each in node:
                walk_down(each)
        elif isinstance(node, DictionaryObject) and "/S" in node:
            found.append(str(node["/S"]))
            walk_down(node.get("/K", []))

    walk_down(root_of(pdf)["/StructTreeRoot"]["/K"])
    return found


def test_every_project_on_the_ballot_stands_in_it_with_number_cost_and_place(
    town: Town, owner: Session
) -> None:
    add_area(owner, "11110", polygon(box(126.9, 37.5, 127.0, 37.6)))
    author = town.author()
    first = on_the_ballot(town, author, title="그늘막", easy_read="그늘을 만듭니다.", places=[HERE])
    second = on_the_ballot(town, author, title="정자", heading="local")
    left_out = town.submitted(author, title="분수대")
    text = text_of(read(ask(town)))
    for proposal in (first, second):
        assert proposal["reference"] in text
    assert left_out["reference"] not in text
    for words in ("그늘을 만듭니다.", "6,000,000원", "제11110구", "시 전체", "공원", "2개"):
        assert words in text
    walk(town, second, "funded")
    assert second["reference"] in text_of(read(ask(town)))


def test_it_is_tagged_in_korean_with_its_font_and_its_title(town: Town) -> None:
    on_the_ballot(town, town.author())
    pdf = read(ask(town))
    root = root_of(pdf)
    assert root["/Lang"] == "ko"
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert pdf.metadata is not None
    assert pdf.metadata.title == "주민참여예산 투표 사업 안내"
    assert pdf.xmp_metadata is not None
    assert b"pdfuaid" in root["/Metadata"].get_data()
    tags = tags_of(pdf)
    assert tags[0] == "/Document"
    assert {"/H1", "/H2", "/P", "/TOC", "/L", "/LI", "/Lbl", "/LBody"} <= set(tags)


def resources_of(page: Any) -> Any:
    return page["/Resources"]


def test_its_only_font_is_korean_and_embedded(town: Town) -> None:
    on_the_ballot(town, town.author())
    pdf = read(ask(town))
    fonts = {
        font["/BaseFont"]: font["/DescendantFonts"][0]["/FontDescriptor"]
        for resources in map(resources_of, pdf.pages)
        for font in resources.get("/Font", {}).values()
    }
    assert all("NotoSansKR" in name for name in fonts)
    assert fonts
    assert all("/FontFile3" in descriptor for descriptor in fonts.values())


def test_a_struck_project_stays_in_it_and_is_said_to_be_struck(town: Town) -> None:
    proposal = on_the_ballot(town, town.author())
    before = ask(town).headers["ETag"]
    walk(town, proposal, "struck")
    after = ask(town)
    assert after.headers["ETag"] != before
    assert "투표 대상에서 제외된 사업입니다" in text_of(read(after))


def test_there_is_none_before_anything_is_on_a_ballot(town: Town) -> None:
    town.submitted(town.author())
    with no_trace(town.world):
        assert refused(ask(town)) == (409, "catalogue-not-available")
    nowhere = "/v1/cycles/0192a0a0-0000-7000-8000-000000000000/catalogue.pdf"
    assert refused(town.world.client.get(nowhere)) == (404, "not-found")


def test_it_is_made_once_for_each_state_of_the_ballot(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_ballot(town, town.author())
    made: list[bytes] = []

    def counted(program: str, content: bytes, path: Any) -> None:
        made.append(content)
        render(program, content, path)

    monkeypatch.setattr(catalogue, "render", counted)
    first, second = ask(town), ask(town)
    assert first.get_data() == second.get_data()
    assert len(made) == 1
    unchanged = ask(town, **{"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.get_data()) == (304, b"")
    on_the_ballot(town, town.author())
    assert ask(town).status_code == 200
    assert len(made) == 2


def test_a_rendering_that_does_not_end_is_ended_and_leaves_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_ballot(town, town.author())
    monkeypatch.setattr(rendering, "LONGEST_RENDERING_S", 0.001)
    assert refused(ask(town)) == (503, "overloaded")
    folder = town.world.settings.var / "catalogues"
    assert not [path for path in folder.glob("*") if town.cycle_id in path.name]
    monkeypatch.undo()
    assert ask(town).status_code == 200


def test_who_waits_for_one_that_is_being_made_keeps_nobody_from_the_database(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_ballot(town, town.author())
    monkeypatch.setattr(catalogue.catalogues, "patience_s", 1.0)
    answers: list[int] = []

    def come() -> None:
        path = f"/v1/cycles/{town.cycle_id}/catalogue.pdf"
        with town.world.app.test_client().get(path) as answer:
            answers.append(answer.status_code)

    crowd = [threading.Thread(target=come) for _ in range(22)]
    with catalogue.catalogues.turn:
        for each in crowd:
            each.start()
        assert town.world.client.get(f"/v1/cycles/{town.cycle_id}").status_code == 200
        for each in crowd:
            each.join(PATIENCE_SECONDS)
    assert answers == [503] * len(crowd)


# the printing itself


def test_the_same_projects_give_the_same_bytes() -> None:
    assert catalogue_pdf(document(PROJECT)) == catalogue_pdf(document(PROJECT))


@pytest.mark.parametrize(
    "title",
    [
        "*굵게* _기울임_ #panic() $x$ `raw` @label <b> \\",
        "// 주석 /* */ [괄호]",
        '#import "/etc/x"',
    ],
)
def test_what_a_citizen_wrote_is_never_markup(title: str) -> None:
    pdf = PdfReader(BytesIO(catalogue_pdf(document(PROJECT | {"title": title}))))
    assert "".join(title.split()) in "".join(text_of(pdf).split())


def test_signs_that_the_font_does_not_have_leave_a_box_and_invisible_ones_nothing() -> None:
    known = signs_of(korean_font())
    assert printable("그늘 😀", known) == f"그늘 {MISSING}"
    assert printable("가\u200d나\ufe0f\ue000다", known) == "가나다"
    assert printable({"a": ["ก", 7, None]}, known) == {"a": [MISSING, 7, None]}
    assert MISSING in known
    assert catalogue_pdf(document(PROJECT | {"summary": "😀 ก \u0e49 \u200d \ue000"}))


def test_a_catalogue_of_240_projects_is_rendered_in_a_process_without_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    run = subprocess.run

    def looked_at(words: list[str], **more: Any) -> Any:
        given.update(more["env"], words=words)
        return run(words, **more)

    monkeypatch.setenv("API_MASTER_KEY", "secret")
    monkeypatch.setattr(subprocess, "run", looked_at)
    many = [PROJECT | {"reference": f"2027-{n:04}"} for n in range(1, 241)]
    path = tmp_path / "a.pdf"
    render("qr.catalogue", json.dumps(document(*many)).encode(), path)
    text = text_of(PdfReader(path))
    assert "2027-0240" in text
    assert "API_MASTER_KEY" not in given
    assert given["words"] == [sys.executable, "-m", "qr.catalogue"]


def test_without_easy_words_whole_sentences_of_the_description_stand_for_them() -> None:
    whole = {"title": {"ko": "그늘막"}, "description": {"ko": "긴 말"}}
    easy = whole | {"easy_read": {"ko": "쉬운 말"}}
    assert summary_of(easy, "ko") == "쉬운 말"
    assert summary_of(easy | {"easy_read": None}, "ko") == "긴 말"
    summary = summary_of(whole | {"description": {"ko": "그늘이 없습니다. " * 60}}, "ko")
    assert len(summary) <= LONGEST_SUMMARY
    assert summary.endswith("그늘이 없습니다.")
    endless = summary_of(whole | {"description": {"ko": "가" * 500}}, "ko")
    assert endless == "가" * LONGEST_SUMMARY + "…"


def test_a_korean_word_is_never_broken_across_lines() -> None:
    title = "어린이보호구역 횡단보도 바닥신호등과 보행자 작동신호기 함께 설치하기 사업"
    pdf = PdfReader(BytesIO(catalogue_pdf(document(PROJECT | {"title": title, "summary": title}))))
    words = title.split()
    lines = [line.split() for page in pdf.pages for line in page.extract_text().splitlines()]
    found = [word for line in lines for word in line]
    assert [found.count(word) for word in words] == [3] * len(words)  # contents, heading, summary
