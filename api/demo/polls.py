"""The demo's polls, one of each kind: what is asked, of whom, where, and how its voters lean.

`content` is what an app would send to `POST /v1/polls`.
"""

from __future__ import annotations

from api.demo.named_polls import IN_A_ROOM, ON_A_LIST
from api.demo.poll_shapes import MOMENTS, DemoPoll, question, texts
from api.demo.ranked_polls import RANKED, SCORED

GWANGHWAMUN = {"lat": 37.5720, "lon": 126.9769}
JONGNO = "11110"
SENIOR_AGE = 60


OPEN_TO_ALL = DemoPoll(
    key="han-river-parks",
    author="parks",
    ballots=48,
    leaning=(40, 25, 15, 20),
    content={
        "title": texts(
            "한강공원에 무엇부터 더 놓을까요?", "What should the Han River parks get first?"
        ),
        "description": texts(
            "내년 한강공원 시설 개선의 순서를 정합니다. 휴대전화 번호를 확인한 분은 누구나 두"
            " 가지까지 고를 수 있습니다.",
            "Sets the order of next year's improvements. Anyone with a confirmed phone number may"
            " choose up to two.",
        ),
        "question": question(
            "먼저 필요한 것을 두 가지까지 골라 주세요.",
            "Choose up to two that are needed first.",
            ("shade", "그늘막과 나무", "Shelters and trees for shade"),
            ("water", "음수대", "Drinking fountains"),
            ("light", "산책로 조명", "Lights along the paths"),
            ("ramps", "휠체어와 유아차를 위한 경사로", "Ramps for wheelchairs and prams"),
            kind="multiple",
            max_selections=2,
        ),
    },
)

OF_RESIDENTS = DemoPoll(
    key="jongno-seniors",
    author="seniors",
    ballots=24,
    leaning=(45, 20, 20, 15),
    content={
        "title": texts(
            "종로구 어르신 스마트폰 교실, 어디에서 열까요?",
            "Where should Jongno-gu hold smartphone classes for seniors?",
        ),
        "description": texts(
            "종로구에 사는 60세 이상 주민께 여쭙니다.",
            "For residents of Jongno-gu aged 60 and over.",
        ),
        "question": question(
            "가장 찾아가기 편한 곳은 어디인가요?",
            "Which place is easiest for you to reach?",
            ("centre", "동주민센터", "The neighbourhood's community centre"),
            ("club", "경로당", "The senior citizens' club"),
            ("library", "가까운 도서관", "A library nearby"),
            ("welfare", "노인종합복지관", "The senior welfare centre"),
        ),
        "eligibility": {"areas": [JONGNO], "area_basis": ["home"], "min_age": SENIOR_AGE},
    },
)

NEAR_GWANGHWAMUN = DemoPoll(
    key="gwanghwamun-sundays",
    author="walking",
    ballots=36,
    leaning=(45, 30, 25),
    sites=("gwanghwamun-square", "gwanghwamun-station", "sejong-center"),
    content={
        "title": texts(
            "광화문광장 옆 세종대로, 일요일에는 걷는 거리로 할까요?",
            "Should Sejong-daero beside Gwanghwamun Square be car-free on Sundays?",
        ),
        "description": texts(
            "광화문광장에서 1km 안에 계신 분이 그 자리에서 투표합니다.",
            "For everyone who is within 1 km of Gwanghwamun Square, on the spot.",
        ),
        "question": question(
            "세종대로 차 없는 날을 얼마나 자주 두면 좋을까요?",
            "How often should Sejong-daero be free of cars?",
            ("weekly", "일요일마다", "Every Sunday"),
            ("monthly", "한 달에 한 번", "One Sunday a month"),
            ("never", "지금처럼 두기", "Leave it as it is"),
        ),
        "presence": {"rule": "area", "area": {"center": GWANGHWAMUN, "radius_m": 1000}},
    },
)

AT_LIBRARIES = DemoPoll(
    key="library-evenings",
    author="libraries",
    ballots=20,
    leaning=(10, 25, 45, 20),
    sites=(
        "seoul-library",
        "jeongdok-library",
        "jongno-library",
        "namsan-library",
        "yongsan-library",
    ),
    slips=30,
    content={
        "title": texts(
            "도서관은 평일 몇 시까지 열면 좋을까요?",
            "How late should libraries stay open on weekdays?",
        ),
        "description": texts(
            "도서관에 걸린 QR 코드를 찍고 그곳에서 투표합니다. 실제로 이용하시는 분께 여쭙니다.",
            "Scan the code that hangs in the library and vote there: we ask those who use it.",
        ),
        "question": question(
            "평일에 자료실을 몇 시까지 이용하고 싶으신가요?",
            "Until when would you like to use the reading rooms on weekdays?",
            ("six", "오후 6시", "6 p.m."),
            ("eight", "오후 8시", "8 p.m."),
            ("ten", "오후 10시", "10 p.m."),
            ("midnight", "자정", "Midnight"),
        ),
        "presence": {"rule": "site"},
    },
)

OF_A_CITIZEN = DemoPoll(
    key="reuse-market",
    author="citizen",
    ballots=30,
    leaning=(35, 15, 20, 30),
    sites=("seoul-forest",),
    content={
        "title": texts(
            "서울숲 나눔장터, 언제 열면 오실 수 있나요?",
            "Seoul Forest reuse market: when could you come?",
        ),
        "description": texts(
            "쓰지 않는 물건을 이웃과 나누는 장터를 준비하고 있습니다. 모두 편한 때를 알려 주세요.",
            "Some neighbours are preparing a market for things they no longer use. Tell us when.",
        ),
        "question": question(
            "언제가 가장 좋으신가요?",
            "Which time suits you best?",
            ("sat-am", "토요일 오전", "Saturday morning"),
            ("sat-pm", "토요일 오후", "Saturday afternoon"),
            ("sun-am", "일요일 오전", "Sunday morning"),
            ("sun-pm", "일요일 오후", "Sunday afternoon"),
        ),
    },
)

CLOSED = DemoPoll(
    key="bike-stations",
    author="walking",
    ballots=320,
    leaning=(38, 27, 18, 13),
    periods=MOMENTS,
    content={
        "title": texts(
            "공공자전거 대여소를 어디에 먼저 늘릴까요?",
            "Where should new public bicycle stations be built first?",
        ),
        "description": texts(
            "새로 만들 대여소 100곳의 자리를 정하는 데 씁니다. 백지로 낼 수도 있습니다.",
            "Decides where the next hundred stations go. You may also cast a blank ballot.",
        ),
        "question": question(
            "대여소가 가장 아쉬운 곳은 어디인가요?",
            "Where do you miss a station most?",
            ("subway", "지하철역 입구", "At entrances of metro stations"),
            ("home", "주택가 골목 입구", "Where residential streets begin"),
            ("school", "학교와 도서관 앞", "At schools and libraries"),
            ("river", "한강공원으로 가는 길", "On the ways to the Han River parks"),
            min_selections=0,
        ),
    },
)

POLLS = (
    CLOSED,
    RANKED,
    SCORED,
    OPEN_TO_ALL,
    OF_RESIDENTS,
    NEAR_GWANGHWAMUN,
    AT_LIBRARIES,
    OF_A_CITIZEN,
    ON_A_LIST,
    IN_A_ROOM,
)
