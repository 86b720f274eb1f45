"""Two polls of the demo that not everybody finds or may vote in: a list's, and a private room's."""

from __future__ import annotations

from api.demo.poll_shapes import DemoPoll, question, texts

ON_A_LIST = DemoPoll(
    key="wardens-meeting",
    author="seniors",
    ballots=16,
    leaning=(20, 45, 25, 10),
    listed=40,
    content={
        "title": texts(
            "통장 회의, 어느 요일 저녁이 좋을까요?",
            "Neighbourhood wardens: which evening suits the monthly meeting?",
        ),
        "description": texts(
            "구청이 명부로 올린 통장님들께만 여쭙니다.",
            "For the wardens on the district's list alone.",
        ),
        "question": question(
            "가장 오시기 좋은 요일을 골라 주세요.",
            "Choose the evening that suits you best.",
            ("monday", "월요일", "Monday"),
            ("tuesday", "화요일", "Tuesday"),
            ("wednesday", "수요일", "Wednesday"),
            ("thursday", "목요일", "Thursday"),
        ),
        "eligibility": {"roll": True},
    },
)

IN_A_ROOM = DemoPoll(
    key="common-room",
    author="citizen",
    ballots=18,
    leaning=(30, 50, 20),
    content={
        "title": texts(
            "한빛마을 주민 사랑방, 몇 시까지 열까요?",
            "Hanbit village: until when should our common room stay open?",
        ),
        "description": texts(
            "방 번호와 비밀번호를 받은 이웃끼리 정합니다.",
            "Among neighbours who were given the room's number and password.",
        ),
        "question": question(
            "몇 시가 좋으세요?",
            "Which hour do you prefer?",
            ("eight", "오후 8시", "8 p.m."),
            ("ten", "오후 10시", "10 p.m."),
            ("always", "늘 열어 두기", "Always open"),
        ),
        "room_password": "hanbit-2026",
    },
)
