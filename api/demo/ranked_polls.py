"""Two polls of the demo that are over: one in which options were ranked, one with points."""

from __future__ import annotations

from api.demo.poll_shapes import MOMENTS, DemoPoll, question, texts

RANKED = DemoPoll(
    key="bus-shelter-names",
    author="walking",
    ballots=90,
    leaning=(32, 28, 22, 14),
    periods=MOMENTS,
    content={
        "title": texts(
            "새 버스 쉼터의 이름, 어떤 순서로 마음에 드시나요?",
            "A name for the new bus shelters: in which order do you like these?",
        ),
        "description": texts(
            "마음에 드는 순서대로 고릅니다. 모두 고르지 않아도 됩니다. 한 이름씩 빼 가며 세어(결선"
            " 집계) 결과에 모든 라운드를 보여 줍니다.",
            "Rank as many as you like. Counted by instant run-off; the result shows every round.",
        ),
        "question": question(
            "마음에 드는 순서대로 골라 주세요.",
            "Rank the names, the one you like best first.",
            ("switeo", "쉬터", "Switeo"),
            ("onda", "온다", "Onda"),
            ("gidarim", "기다림 정류장", "Gidarim stop"),
            ("bom", "봄 쉼터", "Bom shelter"),
            kind="ranking",
            min_selections=0,
            method="instant_runoff",
        ),
    },
)

SCORED = DemoPoll(
    key="winter-lights",
    author="parks",
    ballots=60,
    leaning=(34, 26, 20, 15),
    periods=MOMENTS,
    content={
        "title": texts(
            "겨울 야간 조명, 어디에 더 두면 좋을까요?",
            "Lights for winter evenings: where should there be more?",
        ),
        "description": texts(
            "한 사람이 10점을 여러 곳에 나누어 줍니다.",
            "Everyone shares out ten points.",
        ),
        "question": question(
            "10점을 원하는 대로 나누어 주세요.",
            "Share out ten points as you like.",
            ("stream", "하천 산책로", "Paths along streams"),
            ("alley", "골목길", "Alleys"),
            ("park", "동네 공원", "Neighbourhood parks"),
            ("stairs", "계단과 언덕길", "Stairs and steep ways"),
            kind="points",
            points=10,
            min_selections=0,
        ),
    },
)
