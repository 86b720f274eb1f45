"""Proposals similar to one, over HTTP, among twenty thousand of several years."""

from __future__ import annotations

import http.client
import random
import statistics
import time
import uuid
from collections.abc import Sequence
from http import HTTPStatus
from itertools import product
from typing import Any, TypeAlias

from geoalchemy2.shape import from_shape
from shapely import Point
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from api.db import new_engine, transaction
from geo.proposals import ProposalPlace
from mvote.base import new_id, utc_now
from mvote.budget.bigrams import bigrams
from mvote.budget.proposal import Proposal
from mvote.budget.revision import Revision
from ops.bench.nearby import SEOUL
from ops.bench.stage import Installation
from ops.machine import SetupError

Row: TypeAlias = dict[str, Any]
PROPOSALS, YEARS = 20_000, 5
QUESTIONS, WARM_UP = 400, 60
WHERE = (
    "효자동", "사직동", "삼청동", "부암동", "평창동", "무악동", "교남동", "가회동", "이화동",
    "혜화동", "창신동", "숭인동", "청운동", "필운동", "누하동", "통인동", "옥인동", "체부동",
    "적선동", "내자동", "망원시장", "홍제천", "불광천", "안양천", "중랑천", "남산",
    "북한산 둘레길", "월드컵공원", "보라매공원", "서울숲", "성산대교", "이촌역", "구로역",
    "신림역", "노량진", "가산동", "봉천동", "상계동", "쌍문동",
)  # fmt: skip
WHAT = (
    "버스 정류장 그늘막", "어린이집 놀이터", "골목길 보안등", "횡단보도 바닥 신호등",
    "작은 도서관", "경로당 냉난방기", "공중화장실 비상벨", "자전거 보관대", "주민 쉼터 의자",
    "전기차 충전소", "마을 텃밭", "청소년 공부방", "하천 산책로 난간", "학교 앞 통학로",
    "옥상 정원", "무더위 쉼터", "재활용 분리수거함", "폐쇄회로 카메라", "벽화 거리",
    "장애인 경사로", "야외 운동 기구", "반려견 놀이터", "빗물 저금통", "전통시장 아케이드",
    "청년 창업 공간", "어르신 일자리", "지하보도 조명", "마을버스 노선",
)  # fmt: skip
HOW = (
    "설치", "정비", "보수 공사", "확충", "조성 사업", "교체", "개선", "환경 개선 사업",
    "추가 설치", "신설", "리모델링", "운영 지원",
)  # fmt: skip


def fill(installation: Installation) -> list[uuid.UUID]:
    """Submit so many proposals, past the guards and in one go; their ids."""
    chance = random.Random(2015)  # noqa: S311 - no secret
    years, now = [new_id() for _ in range(YEARS)], utc_now()
    titles = [f"{where} {what} {how}" for where, what, how in product(WHERE, WHAT, HOW)]
    proposals, revisions, places = list[Row](), list[Row](), list[Row]()
    for number, title in enumerate(chance.choices(titles, k=PROPOSALS)):
        proposal_id = new_id()
        stands = {"state": "submitted", "submitted_at": now, "revision": 1}
        year = {"cycle_id": years[number % YEARS], "reference": str(number)}
        proposals.append({"id": proposal_id} | year | stands)
        key = {"proposal_id": proposal_id, "n": 1, "submitted_at": now}
        content = {"title": {"ko": title}}
        revisions.append(key | {"content": content, "bigrams": bigrams(title)})
        shape = from_shape(Point(chance.uniform(*SEOUL[1]), chance.uniform(*SEOUL[0])), srid=4326)
        places.append({"proposal_id": proposal_id, "revision": 1, "position": 0, "shape": shape})
    engine = new_engine(installation.admin_url.replace("postgresql:", "postgresql+psycopg:", 1))
    with Session(engine) as session, transaction(session):
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(insert(Proposal), proposals)
        session.execute(insert(Revision), revisions)
        session.execute(insert(ProposalPlace), places)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
    return [row["id"] for row in proposals]


def median_ms(port: int, proposals: Sequence[uuid.UUID]) -> float:
    """The median time of an answer, asked for one after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    asked = random.Random(1392).sample(proposals, WARM_UP + QUESTIONS)  # noqa: S311 - no secret
    return statistics.median([_ask(connection, each) for each in asked][WARM_UP:])


def _ask(connection: http.client.HTTPConnection, proposal_id: uuid.UUID) -> float:
    """How long one answer takes, in milliseconds."""
    began = time.perf_counter()
    connection.request("GET", f"/v1/proposals/{proposal_id}/similar")
    response = connection.getresponse()
    answer = response.read()
    took = time.perf_counter() - began
    if response.status != HTTPStatus.OK or b"likeness" not in answer:
        raise SetupError(f"similar proposals: {response.status} {answer[:300]!r}")
    return took * 1000
