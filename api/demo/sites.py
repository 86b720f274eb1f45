"""Real public places of Seoul: city hall, offices of districts, libraries, parks, stations.

Coordinates are those of the building or the middle of the square (WGS 84, good to some 30 m). No
place stands at a border, where two honest maps may disagree about its district.
"""

from __future__ import annotations

from typing import NamedTuple

GU = {
    "11110": ("종로구", "Jongno-gu"), "11140": ("중구", "Jung-gu"),
    "11170": ("용산구", "Yongsan-gu"), "11200": ("성동구", "Seongdong-gu"),
    "11230": ("동대문구", "Dongdaemun-gu"), "11260": ("중랑구", "Jungnang-gu"),
    "11290": ("성북구", "Seongbuk-gu"), "11320": ("도봉구", "Dobong-gu"),
    "11350": ("노원구", "Nowon-gu"), "11380": ("은평구", "Eunpyeong-gu"),
    "11410": ("서대문구", "Seodaemun-gu"), "11440": ("마포구", "Mapo-gu"),
    "11470": ("양천구", "Yangcheon-gu"), "11530": ("구로구", "Guro-gu"),
    "11560": ("영등포구", "Yeongdeungpo-gu"), "11620": ("관악구", "Gwanak-gu"),
    "11650": ("서초구", "Seocho-gu"), "11680": ("강남구", "Gangnam-gu"),
    "11710": ("송파구", "Songpa-gu"), "11740": ("강동구", "Gangdong-gu"),
}  # fmt: skip


class DemoSite(NamedTuple):
    """A place: its district's code, its name and street address in Korean and English."""

    key: str
    gu: str
    ko: str
    en: str
    street_ko: str
    street_en: str
    lat: float
    lon: float
    radius_m: int

    def facts(self) -> dict[str, object]:
        """The site as `add_site` takes it."""
        gu_ko, gu_en = GU[self.gu]
        return {
            "name": {"ko": self.ko, "en": self.en},
            "address": {
                "ko": f"서울특별시 {gu_ko} {self.street_ko}",
                "en": f"{self.street_en}, {gu_en}, Seoul",
            },
            "lat": self.lat,
            "lon": self.lon,
            "radius_m": self.radius_m,
        }


def _office(key: str, gu: str, street: tuple[str, str], lat: float, lon: float) -> DemoSite:
    """The office of a district."""
    ko, en = GU[gu]
    return DemoSite(f"{key}-office", gu, f"{ko}청", f"{en} Office", *street, lat, lon, 80)


# fmt: off
SITES = (
    DemoSite("city-hall", "11140", "서울특별시청", "Seoul City Hall",
             "세종대로 110", "110 Sejong-daero", 37.5667, 126.9784, 80),
    DemoSite("seoul-library", "11140", "서울도서관", "Seoul Metropolitan Library",
             "세종대로 110", "110 Sejong-daero", 37.5663, 126.9779, 60),
    DemoSite("jeongdok-library", "11110", "정독도서관", "Jeongdok Public Library",
             "북촌로5길 48", "48 Bukchon-ro 5-gil", 37.5812, 126.9830, 80),
    DemoSite("jongno-library", "11110", "종로도서관", "Jongno Public Library",
             "사직로9길 15-14", "15-14 Sajik-ro 9-gil", 37.5765, 126.9665, 60),
    DemoSite("namsan-library", "11170", "남산도서관", "Namsan Public Library",
             "소월로 109", "109 Sowol-ro", 37.5530, 126.9813, 60),
    DemoSite("yongsan-library", "11170", "용산도서관", "Yongsan Public Library",
             "두텁바위로 160", "160 Duteopbawi-ro", 37.5520, 126.9801, 60),
    DemoSite("gwanghwamun-square", "11110", "광화문광장", "Gwanghwamun Square",
             "세종대로 172", "172 Sejong-daero", 37.5720, 126.9769, 150),
    DemoSite("sejong-center", "11110", "세종문화회관", "Sejong Center for the Performing Arts",
             "세종대로 175", "175 Sejong-daero", 37.5726, 126.9758, 80),
    DemoSite("national-museum", "11170", "국립중앙박물관", "National Museum of Korea",
             "서빙고로 137", "137 Seobinggo-ro", 37.5240, 126.9803, 150),
    DemoSite("design-plaza", "11140", "동대문디자인플라자", "Dongdaemun Design Plaza",
             "을지로 281", "281 Eulji-ro", 37.5666, 127.0091, 150),
    DemoSite("seoul-forest", "11200", "서울숲", "Seoul Forest",
             "뚝섬로 273", "273 Ttukseom-ro", 37.5444, 127.0374, 250),
    DemoSite("city-hall-station", "11140", "시청역 1호선", "City Hall Station, Line 1",
             "세종대로 지하 101", "101 Sejong-daero (underground)", 37.5657, 126.9770, 80),
    DemoSite("gwanghwamun-station", "11110", "광화문역", "Gwanghwamun Station",
             "세종대로 지하 172", "172 Sejong-daero (underground)", 37.5716, 126.9770, 80),
    DemoSite("jamsil-station", "11710", "잠실역 2호선", "Jamsil Station, Line 2",
             "올림픽로 지하 265", "265 Olympic-ro (underground)", 37.5133, 127.1001, 100),
    _office("jung", "11140", ("창경궁로 17", "17 Changgyeonggung-ro"), 37.5641, 126.9980),
    _office("yongsan", "11170", ("녹사평대로 150", "150 Noksapyeong-daero"), 37.5324, 126.9905),
    _office("seongdong", "11200", ("고산자로 270", "270 Gosanja-ro"), 37.5634, 127.0370),
    _office("dongdaemun", "11230", ("천호대로 145", "145 Cheonho-daero"), 37.5744, 127.0400),
    _office("jungnang", "11260", ("봉화산로 179", "179 Bonghwasan-ro"), 37.6065, 127.0927),
    _office("seongbuk", "11290", ("보문로 168", "168 Bomun-ro"), 37.5894, 127.0168),
    _office("dobong", "11320", ("마들로 656", "656 Madeul-ro"), 37.6687, 127.0471),
    _office("nowon", "11350", ("노해로 437", "437 Nohae-ro"), 37.6544, 127.0569),
    _office("eunpyeong", "11380", ("은평로 195", "195 Eunpyeong-ro"), 37.6027, 126.9291),
    _office("seodaemun", "11410", ("연희로 248", "248 Yeonhui-ro"), 37.5793, 126.9366),
    _office("mapo", "11440", ("월드컵로 212", "212 World Cup-ro"), 37.5663, 126.9016),
    _office("yangcheon", "11470", ("목동동로 105", "105 Mokdongdong-ro"), 37.5170, 126.8666),
    _office("guro", "11530", ("가마산로 245", "245 Gamasan-ro"), 37.4954, 126.8875),
    _office("yeongdeungpo", "11560", ("당산로 123", "123 Dangsan-ro"), 37.5264, 126.8961),
    _office("gwanak", "11620", ("관악로 145", "145 Gwanak-ro"), 37.4784, 126.9514),
    _office("seocho", "11650", ("남부순환로 2584", "2584 Nambusunhwan-ro"), 37.4836, 127.0328),
    _office("gangnam", "11680", ("학동로 426", "426 Hakdong-ro"), 37.5175, 127.0471),
    _office("songpa", "11710", ("올림픽로 326", "326 Olympic-ro"), 37.5145, 127.1059),
    _office("gangdong", "11740", ("성내로 25", "25 Seongnae-ro"), 37.5302, 127.1239),
)
# fmt: on
