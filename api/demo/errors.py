"""What keeps the demo from being loaded."""

from __future__ import annotations


class DemoIncomplete(Exception):
    """What keeps the demo from being whole, in a sentence."""
