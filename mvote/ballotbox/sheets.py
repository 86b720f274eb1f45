"""The sheet that a trustee takes home: their words, numbered, and what to do and not to do."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mvote.ballotbox.ceremony_record import CeremonyRecord, SharePlace
from mvote.languages import TEXT_LANGUAGES, said
from mvote.wording import Message, say

DO = (
    say("See at once that every word is readable; keep the sheet sealed in a locked place."),
    say("Bring it to the drill and to the opening of the ballot box, and type it yourself."),
    say("Check that the public key below is the sealing_key in the poll's definition."),
    say("If the sheet is lost, or somebody has seen it, tell the officers of the poll at once."),
    say("Shred the sheet when you are told that counting and the time for appeals are over."),
)
DO_NOT = (
    say("Take no photograph and no copy; never write it into a phone, a computer or the cloud."),
    say("Tell the words to nobody by telephone, message or mail: no officer ever asks for them."),
    say("Never keep it together with another trustee's sheet."),
)
SHARE, SHALL, SHALL_NOT = say("Share of the key to the ballot box"), say("Do"), say("Do not")
PUBLIC_KEY, RECORD = say("public key"), say("record of the ceremony")
TRUSTEES = say("trustees")
STYLE = """
@page { size: A4; margin: 15mm }
body { font: 10pt/1.35 "Noto Sans CJK KR", "Noto Sans KR", sans-serif; color: #000 }
h1 { font-size: 15pt; margin: 0 0 2mm } h2 { font-size: 11pt; margin: 3mm 0 1mm } ul { margin: 0 }
ol.words { columns: 3; font: bold 12pt/1.5 monospace; border: 1pt solid; padding: 2mm 3mm 3mm 14mm }
.en { color: #333 } .hex { font: 9pt monospace; word-break: break-all } li { break-inside: avoid }
"""


def sheet(record: CeremonyRecord, place: SharePlace, words: Sequence[str]) -> str:
    """The sheet of one trustee as HTML that needs nothing else, to be printed on A4."""
    listed = "".join(f"<li>{escape(word)}</li>" for word in words)
    return f"""<!doctype html>
<html lang="ko"><head><meta charset="utf-8"><title>{place.number}. {escape(place.name)}</title>
<style>{STYLE}</style></head><body>
<h1>{place.number} / {len(record.places)} {_twice(SHARE)}</h1>
<p><b>{escape(place.name)}</b> · {record.made_on.isoformat()}</p>
<p>{_twice(_who_opens(record), "<br>")}</p>
<ol class="words">{listed}</ol>
<h2>{_twice(SHALL)}</h2><ul>{_rules(DO)}</ul>
<h2>{_twice(SHALL_NOT)}</h2><ul>{_rules(DO_NOT)}</ul>
<h2>{_twice(PUBLIC_KEY)}</h2><p class="hex">{record.public_key.hex()}</p>
<h2>{_twice(RECORD)} (SHA-256)</h2>
<p class="hex">{record.hash.hex()}</p>
<p>{_twice(TRUSTEES)}: {escape(", ".join(record.names))}</p>
</body></html>
"""


def _who_opens(record: CeremonyRecord) -> Message:
    return say(
        "The sealed ballots open only when {needed} of the {all} trustees bring their shares"
        " together; {fewer} or fewer tell nothing.",
        needed=record.threshold,
        all=len(record.places),
        fewer=record.threshold - 1,
    )


def _rules(rules: Sequence[Message]) -> str:
    return "".join(f"<li>{_twice(rule, '<br>')}</li>" for rule in rules)


def _twice(sentence: Message, between: str = " ") -> str:
    """In Korean, and smaller in English."""
    korean, english = (escape(said(sentence, each)) for each in TEXT_LANGUAGES)
    return f'{korean}{between}<span class="en">{english}</span>'
