"""An idea of a citizen, as a proposal of the demo."""

from __future__ import annotations

from typing import Any, NamedTuple

from mvote.errors import Text

HEADINGS: dict[str, Text] = {
    "walk": {"ko": "걷기와 교통", "en": "Walking and transport"},
    "green": {"ko": "공원과 기후", "en": "Parks and climate"},
    "safe": {"ko": "안전", "en": "Safety"},
    "care": {"ko": "돌봄과 건강", "en": "Care and health"},
    "learn": {"ko": "배움과 문화", "en": "Learning and culture"},
    "clean": {"ko": "자원순환", "en": "Waste and reuse"},
}
"""The fields of all three cycles."""
DEPARTMENT_FOR = {
    "walk": "walking", "green": "parks", "safe": "walking", "care": "seniors",
    "learn": "libraries", "clean": "parks",
}  # fmt: skip
"""Which department of `api.demo.people` checks the proposals of a field."""


class Item(NamedTuple):
    """A line of the costs; the price of one in won."""

    ko: str
    en: str
    quantity: int
    price: int


class Idea(NamedTuple):
    """A project at a real place of Seoul (WGS 84), in the district *gu*.

    *ko* and *en*: title, what is wrong today, what is to be done.
    """

    key: str
    heading: str
    gu: str
    lat: float
    lon: float
    ko: tuple[str, str, str]
    en: tuple[str, str, str]
    items: tuple[Item, ...]

    @property
    def amount(self) -> int:
        """Won."""
        return sum(each.quantity * each.price for each in self.items)

    def content(self) -> dict[str, Any]:
        """What an app would send to `POST /v1/cycles/{id}/proposals`."""
        texts = zip(("title", "problem", "description"), self.ko, self.en, strict=True)
        return {
            **{name: {"ko": ko, "en": en} for name, ko, en in texts},
            "heading": self.heading,
            "cost_items": [
                {
                    "item": {"ko": each.ko, "en": each.en},
                    "quantity": each.quantity,
                    "unit_price": each.price,
                    "amount": each.quantity * each.price,
                }
                for each in self.items
            ],
            "places": [{"lat": self.lat, "lon": self.lon}],
        }
