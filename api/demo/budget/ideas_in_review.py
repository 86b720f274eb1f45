"""What a committee reviews: ideas of young people."""

from __future__ import annotations

from api.demo.budget.ideas import Idea, Item

IN_REVIEW = (
    Idea(
        "study-sillim", "learn", "11620", 37.4842, 126.9295,
        ("신림역 밤샘 공부방",
         "시험을 준비하는 청년이 밤에 공부할 조용한 곳이 없습니다.",
         "빈 상가 한 층을 고쳐 밤새 여는 공부방을 만듭니다."),
        ("An all-night study room at Sillim Station",
         "Young people who prepare for exams have no quiet place at night.",
         "Turn one floor of an empty arcade into a study room that never closes."),
        (Item("공부방 꾸미기", "Fitting out", 1, 240_000_000),
         Item("책상과 의자 (벌)", "Desks and chairs (set)", 80, 700_000)),
    ),
    Idea(
        "rehearsal-hongdae", "learn", "11440", 37.5565, 126.9240,
        ("홍대앞 청년 공연 연습실",
         "작은 극단과 밴드가 연습실 값을 견디지 못하고 떠납니다.",
         "공영주차장 지하에 함께 쓰는 연습실 네 칸을 만듭니다."),
        ("Rehearsal rooms for young artists in Hongdae",
         "Small bands and theatre groups leave because they cannot pay for rooms.",
         "Build four shared rooms beneath a public car park."),
        (Item("연습실", "Rehearsal room", 4, 78_000_000),),
    ),
    Idea(
        "breakfast-kondae", "care", "11215", 37.5425, 127.0765,
        ("청년 아침밥 나눔",
         "혼자 사는 청년 셋 가운데 둘은 아침을 거릅니다.",
         "대학과 함께 하루 300명에게 천 원 아침밥을 차립니다."),
        ("Breakfast for young people",
         "Two of three young people who live alone go without breakfast.",
         "Serve breakfast for a thousand won to 300 people a day, together with colleges."),
        (Item("아침밥 (그릇)", "Breakfast (bowl)", 60_000, 3_500),),
    ),
    Idea(
        "bikes-gangdong", "walk", "11740", 37.5450, 127.1420,
        ("굽은다리역 출퇴근 자전거 주차장",
         "역 앞에 자전거를 둘 곳이 없어 난간마다 묶여 있습니다.",
         "지붕과 잠금 장치가 있는 주차장 200대를 짓습니다."),
        ("Bicycle parking for commuters at Gubeundari Station",
         "There is nowhere to leave a bicycle, so every railing is full of them.",
         "Build 200 covered places that can be locked."),
        (Item("자전거 자리", "Place for a bicycle", 200, 1_100_000),
         Item("지붕 (㎡)", "Roof (m²)", 320, 350_000)),
    ),
    Idea(
        "lights-mullae", "safe", "11560", 37.5155, 126.8945,
        ("문래동 작업실 골목 안심길",
         "늦게까지 일하는 청년 작가가 어두운 공장 골목을 지나 돌아갑니다.",
         "골목 40곳에 조명과 비상벨을 답니다."),
        ("A safe way through the workshops of Mullae-dong",
         "Young artists who work late walk home through dark lanes of workshops.",
         "Hang lights with alarm buttons in 40 places."),
        (Item("조명과 비상벨", "Light with alarm button", 40, 6_500_000),),
    ),
    Idea(
        "swap-seongsu", "clean", "11200", 37.5440, 127.0560,
        ("성수동 옷 바꿔 입기 가게",
         "한두 번 입고 버리는 옷이 해마다 늘고 있습니다.",
         "옷을 맡기고 다른 옷으로 바꿔 가는 가게를 엽니다."),
        ("A clothes swap in Seongsu-dong",
         "More and more clothes are thrown away after they were worn once or twice.",
         "Open a shop where people leave clothes and take others."),
        (Item("가게 꾸미기", "Fitting out", 1, 130_000_000),
         Item("세탁 장비", "Laundry equipment", 4, 18_000_000)),
    ),
)  # fmt: skip
