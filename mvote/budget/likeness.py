"""How alike texts are, in SQL: Dice's coefficient of their bigrams, found by a GIN index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import ColumnElement, Double, Integer, any_, bindparam, cast, func, literal, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from mvote.budget.bigrams import ALIKE, must_have_one_of

_FREQUENCY = text(
    "SELECT unnest(most_common_elems::text::int[]), unnest(most_common_elem_freqs) FROM pg_stats"
    " WHERE schemaname = 'public' AND tablename = :table AND attname = :column"
)


@dataclass(frozen=True)
class Likeness:
    """SQL: what rows must satisfy to be alike, and how alike they are, 0 to 1."""

    conditions: Sequence[ColumnElement[bool]]
    degree: ColumnElement[Any]


def likeness_to(
    session: Session, column: InstrumentedAttribute[list[int]], mine: list[int]
) -> Likeness:
    """How alike the texts are whose bigrams stand in *column*, and *mine*, of which there are some.

    The index finds what has one of the rare bigrams; only of that all are compared.
    """
    place = {"table": column.class_.__tablename__, "column": column.key}
    frequency: dict[int, float] = dict(session.execute(_FREQUENCY, place).all())
    rarest = bindparam("rarest", must_have_one_of(mine, frequency), type_=ARRAY(Integer))
    # one by one: to unnest the bigrams of each row takes ten times as long
    shared: Any = reduce(add, (cast(one == any_(column), Integer) for one in map(literal, mine)))
    together = func.cardinality(column) + len(mine)
    return Likeness(
        conditions=(
            column.overlap(rarest),
            2 * ALIKE.denominator * shared >= ALIKE.numerator * together,
        ),
        degree=cast(2 * shared, Double) / together,
    )
