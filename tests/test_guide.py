"""What `make run` says once all runs, whatever polls and cycles are there by then."""

from __future__ import annotations

from typing import Any

import pytest

from ops import guide


def test_polls_and_cycles_in_korean_only_are_listed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[dict[str, str]] = [{"ko": "나무"}, {"ko": "꽃", "en": "Flower"}]
    items: list[dict[str, Any]] = [
        {"id": str(n), "title": title, "status": "open", "phase": None}
        for n, title in enumerate(titles)
    ]
    monkeypatch.setattr(guide, "_items", lambda _: items)
    said = guide.text(8000, {})
    assert [each["title"] for each in guide.demo_polls("")] == ["나무", "Flower"]
    assert said.count("나무") == said.count("Flower") == 2
