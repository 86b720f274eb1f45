"""The sheet that a trustee takes home: their words, numbered, and what to do and not to do."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mvote.ballotbox.ceremony_record import CeremonyRecord, SharePlace

DO = (
    (
        "낱말이 모두 또렷한지 바로 확인하고, 봉투에 넣어 봉한 뒤 금고처럼 잠기는 곳에 보관하세요.",
        "See at once that every word is readable; keep the sheet sealed in a locked place.",
    ),
    (
        "연습 때와 개표 때, 약속한 자리에 직접 가져와 직접 입력하세요.",
        "Bring it to the drill and to the opening of the ballot box, and type it yourself.",
    ),
    (
        "아래 공개키가 투표 정의의 sealing_key와 같은지 확인하세요.",
        "Check that the public key below is the sealing_key in the poll's definition.",
    ),
    (
        "종이를 잃어버렸거나 누가 보았다면 바로 선거 담당자에게 알리세요.",
        "If the sheet is lost, or somebody has seen it, tell the officers of the poll at once.",
    ),
    (
        "개표와 이의 신청 기간이 끝났다는 안내를 받으면 종이를 파쇄하세요.",
        "Shred the sheet when you are told that counting and the time for appeals are over.",
    ),
)
DO_NOT = (
    (
        "사진을 찍거나 복사하거나 휴대전화·컴퓨터·클라우드에 옮겨 적지 마세요.",
        "Take no photograph and no copy; never write it into a phone, a computer or the cloud.",
    ),
    (
        "전화나 메시지, 전자우편으로 낱말을 알려 주지 마세요. 담당자도 그렇게 묻지 않습니다.",
        "Tell the words to nobody by telephone, message or mail: no officer ever asks for them.",
    ),
    (
        "다른 위원의 종이와 한곳에 두지 마세요.",
        "Never keep it together with another trustee's sheet.",
    ),
)
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
    need = record.threshold
    return f"""<!doctype html>
<html lang="ko"><head><meta charset="utf-8"><title>{place.number}. {escape(place.name)}</title>
<style>{STYLE}</style></head><body>
<h1>투표함 열쇠 조각 {place.number} / {len(record.places)}
<span class="en">Share of the key to the ballot box</span></h1>
<p><b>{escape(place.name)}</b> · {record.made_on.isoformat()}</p>
<p>봉인된 투표지는 위원 {len(record.places)}명 중 {need}명이 조각을 모아야만 열 수 있습니다.
조각이 {need - 1}개 이하이면 아무것도 알 수 없습니다.<br><span class="en">The sealed ballots open
only when {need} of the {len(record.places)} trustees bring their shares together;
{need - 1} or fewer tell nothing.</span></p>
<ol class="words">{listed}</ol>
<h2>하세요 <span class="en">Do</span></h2><ul>{_rules(DO)}</ul>
<h2>하지 마세요 <span class="en">Do not</span></h2><ul>{_rules(DO_NOT)}</ul>
<h2>공개키 <span class="en">Public key</span></h2><p class="hex">{record.public_key.hex()}</p>
<h2>키 생성식 기록 (SHA-256) <span class="en">Record of the ceremony</span></h2>
<p class="hex">{record.hash.hex()}</p>
<p>위원 <span class="en">Trustees</span>: {escape(", ".join(record.names))}</p>
</body></html>
"""


def _rules(rules: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f'<li>{korean}<br><span class="en">{english}</span></li>' for korean, english in rules
    )
