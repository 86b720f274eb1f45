"""What is wrong with a request, said in Korean; the checks themselves speak English."""

from __future__ import annotations

import re
from functools import lru_cache

DETAILS = {
    "1 to 60 letters, digits, - _ or /.": "영문자, 숫자, -, _, /로 1~60자여야 합니다.",
    "1 to 60 letters, digits, - _ . or :.": "영문자, 숫자, -, _, ., :로 1~60자여야 합니다.",
    "32 bytes as 64 hexadecimal digits.": "32바이트를 16진수 64자리로 적어야 합니다.",
    "A geometry is an object.": "도형은 객체여야 합니다.",
    "A position is two finite numbers, longitude and latitude.": (
        "좌표는 경도와 위도, 유한한 숫자 두 개입니다."
    ),
    "A ring has at least four positions.": "고리에는 좌표가 네 개 이상 있어야 합니다.",
    "A ring must end where it begins.": "고리는 시작한 곳에서 끝나야 합니다.",
    "A share like 30/100, in digits.": "30/100처럼 숫자로 쓴 몫이어야 합니다.",
    "A single choice has at most one selection.": "단일 선택은 하나만 고를 수 있습니다.",
    "A string, or an object with `ko` or `en` or both.": (
        "문자열이거나 `ko`, `en`을 가진 객체여야 합니다."
    ),
    "A whole number, or a share like 30/100.": "정수이거나 30/100 같은 몫이어야 합니다.",
    "An officer has a department, an administrator has none.": (
        "담당자에게는 부서가 있어야 하고 관리자에게는 없어야 합니다."
    ),
    "Contains a control or invisible character.": "제어 문자나 보이지 않는 문자가 있습니다.",
    "Field may not be null.": "비워 둘 수 없습니다.",
    "Give exactly lat and lon.": "lat과 lon만 적어야 합니다.",
    "Here must be a list.": "목록이어야 합니다.",
    "Higher than max_age.": "max_age보다 큽니다.",
    "Invalid input type.": "형식이 올바르지 않습니다.",
    "It lies outside all areas; are longitude and latitude swapped?": (
        "알려진 구역 밖에 있습니다. 경도와 위도가 바뀌지 않았나요?"
    ),
    "Latitude is beyond 90 degrees; are longitude and latitude swapped?": (
        "위도가 90도를 넘습니다. 경도와 위도가 바뀌지 않았나요?"
    ),
    "Longitude is beyond 180 or latitude beyond 90 degrees.": (
        "경도가 180도를 넘거나 위도가 90도를 넘습니다."
    ),
    "Missing data for required field.": "필수 항목입니다.",
    "More than max_selections.": "max_selections보다 큽니다.",
    "Must be a finite number.": "유한한 숫자여야 합니다.",
    "Must be later than now and than closes_at.": (
        "지금과 현재의 마감 시각(closes_at)보다 늦어야 합니다."
    ),
    "Must be later than applications_close_at.": "applications_close_at보다 늦어야 합니다.",
    "Must be later than opens_at.": "opens_at보다 늦어야 합니다.",
    "Must be later than valid_from.": "valid_from보다 늦어야 합니다.",
    "Must be the code of an area.": "구역 코드여야 합니다.",
    "Must not be empty.": "비어 있으면 안 됩니다.",
    "Not a kind of areas.": "구역의 종류가 아닙니다.",
    "Not a valid UUID.": "UUID가 아닙니다.",
    "Not a valid boolean.": "true 또는 false여야 합니다.",
    "Not a valid integer.": "정수여야 합니다.",
    "Not a valid list.": "목록이어야 합니다.",
    "Not a valid mapping type.": "객체여야 합니다.",
    "Not a valid number.": "숫자여야 합니다.",
    "Not a valid string.": "문자열이어야 합니다.",
    "Not an RFC 3339 instant with a time zone.": "시간대가 있는 RFC 3339 시각이 아닙니다.",
    "Not an area's code.": "구역 코드가 아닙니다.",
    "Only Polygon and MultiPolygon are taken.": "Polygon과 MultiPolygon만 받습니다.",
    "A PDF that runs programs or hides files is not taken.": (
        "프로그램이 들어 있거나 파일을 숨긴 PDF는 받지 않습니다."
    ),
    "It has too many pixels.": "그림의 화소가 너무 많습니다.",
    "It is delivered by another department.": "다른 부서가 추진하는 사업입니다.",
    "It is assessed by another department.": "다른 부서가 검토하는 제안입니다.",
    "It is not the quantity times the price of a unit.": "수량과 단가를 곱한 금액이 아닙니다.",
    "It lies outside the city.": "시 밖에 있습니다.",
    "More than assessed_amount.": "assessed_amount보다 큽니다.",
    "Must be a draft split from this proposal.": "이 제안에서 나눈 초안이어야 합니다.",
    "Must be another proposal.": "다른 제안이어야 합니다.",
    "Must be later than now, within 90 days.": "지금보다 늦고 90일 안이어야 합니다.",
    "Must be of the same cycle.": "같은 주기의 제안이어야 합니다.",
    "Nobody assesses a proposal of their own.": "자신의 제안은 검토할 수 없습니다.",
    "Nobody assesses what they have entered.": "직접 입력한 종이 제안은 검토할 수 없습니다.",
    "What came on paper is not merged or split.": "종이로 낸 제안은 합치거나 나눌 수 없습니다.",
    "Not a place.": "위치가 아닙니다.",
    "Not a valid date.": "날짜가 아닙니다.",
    "This number is on the list before.": "앞에 이미 있는 번호입니다.",
    "This source asks nobody by a list of numbers.": "번호 명부로 묻는 투표가 아닙니다.",
    "The same key twice.": "같은 키가 두 번 있습니다.",
    "There is no such file; send it first.": "그런 파일이 없습니다. 먼저 보내 주세요.",
    "There is no such heading in this cycle.": "이번 주기에 없는 분야입니다.",
    "There is no such kind in this cycle.": "이번 주기에 없는 종류입니다.",
    "This cycle takes no proposals of organisations.": "이번 주기는 단체 제안을 받지 않습니다.",
    "This is no picture.": "그림 파일이 아닙니다.",
    "This is no whole PDF.": "온전한 PDF가 아닙니다.",
    "Six digits.": "숫자 여섯 자리여야 합니다.",
    "Special numeric values (nan or infinity) are not permitted.": "유한한 숫자여야 합니다.",
    "There is no area with this code.": "이 코드의 구역이 없습니다.",
    "There is no geometry.": "도형이 없습니다.",
    "There is no such area.": "그런 구역이 없습니다.",
    "There is no such attribute.": "그런 항목이 없습니다.",
    "There must be something.": "비어 있으면 안 됩니다.",
    "These are no degrees; is it a foreign coordinate reference system (metres)?": (
        "도 단위가 아닙니다. 다른 좌표계(미터)가 아닌가요?"
    ),
    "This correction has been published.": "이미 공지한 정정입니다.",
    "This is no cursor of ours.": "이 목록의 커서가 아닙니다.",
    "This is no number of a mobile phone.": "휴대전화 번호가 아닙니다.",
    "This is no phone number.": "전화번호가 아닙니다.",
    "Three capital letters (ISO 4217).": "영어 대문자 세 자(ISO 4217)여야 합니다.",
    "Two options have the same key.": "두 선택지의 key가 같습니다.",
    "Unknown field.": "알 수 없는 항목입니다.",
    "Voting may last 366 days at most.": "투표 기간은 366일을 넘을 수 없습니다.",
}
FORMS = tuple(
    (re.compile(english), korean)
    for english, korean in (
        (r"At most (\d+) characters\.", "최대 {}자입니다."),
        (r"Between (\d+) and (\d+)\.", "{}에서 {} 사이여야 합니다."),
        (r"It spans more than (\S+) degrees\.", "{}도보다 넓습니다."),
        (r"Length must be between (\d+) and (\d+)\.", "길이는 {}에서 {} 사이여야 합니다."),
        (r"Longer than (?:maximum length )?(\d+)(?: characters)?\.", "길이가 {}을(를) 넘습니다."),
        (r"Must be from (\S+) to (\S+)\.", "{}에서 {} 사이여야 합니다."),
        (r"Must be greater than or equal to (\S+) and less than or equal to (\S+)\.",
         "{} 이상 {} 이하여야 합니다."),
        (r"Must be greater than (\S+) and less than or equal to (\S+)\.",
         "{} 초과 {} 이하여야 합니다."),
        (r"Must be one of: (.+)\.", "다음 중 하나여야 합니다: {}."),
        (r"One of (.+)\.", "다음 중 하나여야 합니다: {}."),
        (r"Shorter than minimum length (\d+)\.", "길이가 {}보다 짧습니다."),
        (r"The coordinate reference system is (.+); only WGS 84 \(EPSG:4326\) is taken\.",
         "좌표계가 {}입니다. WGS 84(EPSG:4326)만 받습니다."),
        (r"There are more than (\d+) vertices\.", "꼭짓점이 {}개를 넘습니다."),
        (r"There is no department (\S+)\.", "{} 부서가 없습니다."),
        (r"(\d+) to (\d+) letters, digits, - or _\.", "영문자, 숫자, -, _로 {}~{}자여야 합니다."),
        (r"(\d+) to (\d+) small letters, digits or _\.",
         "영어 소문자, 숫자, _로 {}~{}자여야 합니다."),
        (r"(\d+) to (\d+) of A-Z a-z 0-9 _ -\.", "A-Z a-z 0-9 _ -로 {}~{}자여야 합니다."),
        (r"(\d+) to (\d+) visible ASCII characters\.", "보이는 ASCII 문자로 {}~{}자여야 합니다."),
        (r"(\w+) is not possible while (\w+)", "지금 상태({1})에서는 할 수 없습니다: {0}"),
        (r"Together (\d+), but at most (\d+) are allowed\.",
         "합계가 {}원인데 최대 {}원까지입니다."),
        (r"(\d+) hexadecimal digits\.", "16진수 {}자리여야 합니다."),
        (r'Give \{"lat", "lon"\}.*',
         "lat과 lon, GeoJSON Point, Polygon, MultiPolygon 또는 area_code여야 합니다."),
        (r'Give \{"center".*',
         "원(center, radius_m), GeoJSON Polygon, MultiPolygon 또는 area_code여야 합니다."),
        (r"(.+), at longitude (\S+), latitude (\S+)", "{0} (경도 {1}, 위도 {2})"),
    )
)  # fmt: skip


@lru_cache(maxsize=2_000)
def in_korean(detail: str) -> str:
    """*detail* in Korean; as it is, if nobody has put it into Korean yet."""
    if detail in DETAILS:
        return DETAILS[detail]
    for form, korean in FORMS:
        found = form.fullmatch(detail)
        if found:
            return korean.format(*(DETAILS.get(part, part) for part in found.groups()))
    return detail
