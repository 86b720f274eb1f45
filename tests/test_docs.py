"""The pages that explain the API are readable without a network."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask

from tests.support.contract import CheckedClient
from tests.support.errors import named_errors

ROOT = Path(__file__).resolve().parent.parent
NUMBERED = re.compile(r"\d+\.")


class Links(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        loaded = [named[name] for name in ("src", "href") if named.get(name)]
        self.found += [link for link in loaded if link]
        self.inline += tag == "script" and "src" not in named


def test_the_pages_load_nothing_from_another_host_and_run_no_inline_script(
    client: CheckedClient,
) -> None:
    for path in ("/docs", "/docs/problems"):
        page = client.get(path)
        links = Links()
        links.feed(page.get_data(as_text=True))
        assert all(link.startswith("/") and not link.startswith("//") for link in links.found)
        assert links.inline == 0
        for link in links.found:
            with client.get(link) as response:
                assert response.status_code == 200, link


def test_a_policy_holds_the_pages_to_this_host(client: CheckedClient) -> None:
    for path in ("/docs", "/docs/start.js", "/docs/problems"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "http:" not in policy
        assert "https:" not in policy
        assert "*" not in policy


def test_the_page_starts_with_the_contract_and_asks_no_validator(client: CheckedClient) -> None:
    script = client.get("/docs/start.js").get_data(as_text=True)
    assert '"/openapi.yaml"' in script
    assert "validatorUrl: null" in script
    assert "://" not in script


def test_the_type_of_every_problem_leads_to_what_it_means(
    app: Flask, client: CheckedClient
) -> None:
    page = client.get("/docs/problems").get_data(as_text=True)
    for code in {error.code for error in named_errors()}:
        assert f'id="{code}"' in page
    problem = client.get("/v1/me").get_json()
    assert problem["type"] == "/docs/problems#token-missing"


def test_a_code_that_is_said_for_several_reasons_is_explained_by_all_of_them(
    client: CheckedClient,
) -> None:
    page = client.get("/docs/problems", headers={"Accept-Language": "en"}).get_data(as_text=True)
    said = page.partition('id="not-eligible"')[2].partition("<dt")[0]
    for title in ("This poll asks other people.", "Other people may sit in this committee."):
        assert said.count(f"<dd>{title}</dd>") == 1


@pytest.mark.parametrize("name", ["nothing.js", "../docs.py", "%2e%2e/docs.py", "..%2fdocs.py"])
def test_the_pages_serve_no_file_but_their_own(client: CheckedClient, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


def test_what_is_promised_in_public_is_the_same_in_both_places() -> None:
    described = (ROOT / "api" / "description.md").read_text(encoding="utf-8")
    promised = described.partition("## What we promise, and what we cannot\n\n")[2]
    english, _, korean = promised.partition("\n\n## 약속하는 것과 약속할 수 없는 것\n\n")
    security = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert english
    assert korean
    assert english in security
    assert korean.strip() in security


@pytest.mark.parametrize("page", ["client", "cycles", "verifying", "keys"])
def test_the_korean_page_has_every_part_of_the_english_one(page: str) -> None:
    english, korean = (_parts_of(ROOT / "docs" / name) for name in (f"{page}.md", f"{page}.ko.md"))
    assert len(english) > 10
    assert korean == english


def _parts_of(path: Path) -> list[str]:
    """What a page is made of, whatever its language: heads, rows, list items, commands."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    parts: list[str] = []
    fenced = False
    for line in lines:
        first = line.split(maxsplit=1)[0]
        fenced ^= line.startswith("```")
        if fenced or line.startswith("    flask "):
            parts.append(line.partition("  #")[0].strip())
        elif first.strip("#") == "" or first in ("|", "-") or NUMBERED.fullmatch(first):
            parts.append(first)
    return parts
