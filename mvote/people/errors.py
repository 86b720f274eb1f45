"""Rules about people that can be broken, and have a name of their own."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError, Text


class OneTimeCodeInvalid(DomainError):
    """Wrong, spent, expired, or guessed at too often: which of these is not said."""

    code = "one-time-code-invalid"
    title: ClassVar[Text] = {
        "ko": "인증번호가 올바르지 않거나 만료되었습니다.",
        "en": "The one-time code is wrong or no longer valid.",
    }
    next_step: ClassVar[Text | None] = {
        "ko": "인증번호를 다시 확인하거나 새로 요청해 주세요.",
        "en": "Check the code, or ask for a new one.",
    }


class MessageNotSent(DomainError):
    """The gateway of text messages did not take a message. Nobody was signed in or out."""

    code = "message-not-sent"
    title: ClassVar[Text] = {
        "ko": "문자 메시지를 보내지 못했습니다. 잠시 후 다시 시도해 주세요.",
        "en": "The text message could not be sent. Please try again in a moment.",
    }
