"""Bodies as an app sends them, for whoever reads the contract."""

from __future__ import annotations

from typing import Any

HERE = {
    "lat": 37.5725,
    "lon": 126.9769,
    "accuracy_m": 12.0,
    "captured_at": "2026-11-22T09:30:00Z",
}
NEARBY: dict[str, Any] = {"position": HERE, "radius_m": 1000}
ELIGIBILITY: dict[str, Any] = {"position": HERE}
BALLOT: dict[str, Any] = {"selections": ["every-sunday"], "position": HERE}
ROOM: dict[str, Any] = {"number": "48213077", "password": "a room of our own"}
POLL: dict[str, Any] = {
    "title": {"ko": "세종대로 차 없는 날", "en": "Sejong-daero free of cars"},
    "question": {
        "text": {"ko": "얼마나 자주 할까요?", "en": "How often?"},
        "kind": "single",
        "options": [
            {"key": "every-sunday", "title": {"ko": "매주 일요일", "en": "Every Sunday"}},
            {"key": "never", "title": {"ko": "지금처럼", "en": "Leave it as it is"}},
        ],
    },
    "closes_at": "2026-11-29T09:00:00Z",
    "eligibility": {"areas": ["11110"], "area_basis": ["home", "work"], "min_age": 18},
    "presence": {
        "rule": "area",
        "area": {"center": {"lat": 37.5725, "lon": 126.9769}, "radius_m": 500},
    },
}
