"""What can be wrong with a trustee's share, said in Korean and English without saying any word."""

from __future__ import annotations

from typing import Any

from mvote.ballotbox.ceremony_record import SharePlace

TEXTS = {
    "wrong-word": (
        "{word}번째 낱말이 목록에 없습니다.",
        "word {word} is not a word of the list.",
    ),
    "wrong-length": (
        "낱말이 {words}개입니다. {needed}개여야 합니다.",
        "words given: {words}; a share has {needed}.",
    ),
    "wrong-checksum": (
        "낱말 하나 이상이 틀렸거나 순서가 바뀌었습니다.",
        "at least one word is wrong, or two are in the wrong order.",
    ),
    "other-ceremony": (
        "다른 키 생성식의 조각입니다.",
        "this share is of another ceremony.",
    ),
    "other-share": (
        "이것은 {found}번 조각입니다.",
        "this is share {found}.",
    ),
    "altered": (
        "키 생성식에서 만든 조각이 아닙니다.",
        "this is not the share that was made at the ceremony.",
    ),
    "duplicate": (
        "이미 입력한 조각입니다.",
        "this share was given before.",
    ),
    "too-few": (
        "조각이 {given}개뿐입니다. {needed}개가 필요합니다.",
        "shares given: only {given}; needed: {needed}.",
    ),
    "wrong-key": (
        "조각들을 맞추어도 기록의 키가 나오지 않습니다.",
        "the shares together do not give the key of the record.",
    ),
    "no-such-share": (
        "그런 번호의 조각은 없습니다.",
        "there is no share of that number.",
    ),
}


class ShareProblem(ValueError):
    """A share is not what it must be; names the trustee, never a word of the share."""

    def __init__(self, code: str, place: SharePlace | None, **facts: Any) -> None:
        korean, english = (text.format(**facts) for text in TEXTS[code])
        whose = f"{place.number}. {place.name}: " if place else ""
        super().__init__(f"{whose}{korean} / {english}")
        self.code, self.place, self.facts = code, place, facts
