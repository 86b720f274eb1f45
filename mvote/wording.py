"""English sentences with numbers in them."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """*number* with its noun: `1 share`, `2 shares`, `1,000 entries`; *many* if not with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
