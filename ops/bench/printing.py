"""Posters for 500 sites in one PDF, and a package of 1,000 slips: the whole of their processes."""

from __future__ import annotations

import json
import time
from typing import Any

from api.rendering import rendered
from qr.codes import new_site_code, site_code_url, value_url

POSTERS, SLIPS = 500, 1_000
HOST = "vote.seoul.example"
TITLE = {"ko": "광화문광장을 걷는 길로 만들까요?", "en": "Turn Gwanghwamun Square into a walk?"}
SITE = {"ko": "서울특별시청", "en": "Seoul City Hall"}


def measure_printing() -> dict[str, float]:
    """Seconds for each, as an officer who asks for them waits."""
    return {
        "posters_500_s": _seconds("qr.poster", _posters()),
        "slips_1000_s": _seconds("qr.slips", _slips()),
    }


def _seconds(program: str, document: dict[str, Any]) -> float:
    began = time.perf_counter()
    rendered(program, json.dumps(document).encode())
    return time.perf_counter() - began


def _posters() -> dict[str, Any]:
    texts = dict.fromkeys(("scan", "site", "address", "period", "hint", "check"), SITE)
    codes = [new_site_code() for _ in range(POSTERS)]
    posters = [
        texts | {"url": site_code_url(code, host=HOST), "code": code, "title": TITLE}
        for code in codes
    ]
    return {"size": "a4", "title": "posters", "posters": posters}


def _slips() -> dict[str, Any]:
    code, values = new_site_code(), [new_site_code() for _ in range(SLIPS)]
    slips = [{"value": each, "url": value_url(code, each, host=HOST)} for each in values]
    texts = {"title": TITLE, "site": SITE, "note": SITE}
    return texts | {"name": "slips", "package": 1, "slips": slips}
