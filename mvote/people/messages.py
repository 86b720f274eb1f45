"""What people asks of the world to reach a phone."""

from __future__ import annotations

from typing import Protocol


class TextMessages(Protocol):
    """Sends text messages. Called after the commit, never inside a transaction."""

    def send(self, *, to: str, text: str, code: str = "") -> None:
        """Send *text* to the number *to* (E.164); *code*: the one-time code it holds, if any.

        Raises MessageNotSent.
        """
