"""Right bodies for proposals and their assessments."""

from __future__ import annotations

from tests.support.world import GWANGHWAMUN

PROPOSAL = {
    "title": {"ko": "그늘막", "en": "Shade"}, "problem": "덥습니다.", "description": "설치합니다.",
    "beneficiaries": "주민", "easy_read": "그늘을 만듭니다.",
    "organisation": "모임", "heading": "parks", "kind": "works",
    "cost_items": [{"item": "그늘막", "quantity": 2, "unit_price": 10, "amount": 20}],
    "running_cost_per_year": 5, "places": [GWANGHWAMUN],
    "pictures": [{"sha256": "ab" * 32, "alt": "정류장"}],
    "attachments": [{"sha256": "cd" * 32, "title": "견적"}], "contact": "저녁에",
}  # fmt: skip
CHECK = {"finding": "yes", "reason": "문제 없음"}
ASSESSMENT = {
    "lawful": CHECK, "within_competence": CHECK, "feasible": CHECK, "no_duplicate": CHECK,
    "land_available": CHECK, "assessed_amount": 20, "min_useful_amount": 10, "budget_line": "시설",
    "site_visit": {"on": "2026-05-02", "notes": "확인"},
}  # fmt: skip
