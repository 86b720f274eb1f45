"""All that the database holds, in short: to see that nothing was written."""

from __future__ import annotations

import psycopg
from psycopg import sql

KEPT_ASIDE = ("alembic_version", "spatial_ref_sys")
Census = dict[str, tuple[int, str]]


def census(admin_url: str) -> Census:
    """For each table how many rows it has, and a hash of what they say."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace ORDER BY relname"
        ).fetchall()
        each = [_of(name) for (name,) in names if name not in KEPT_ASIDE]
        rows = connection.execute(sql.SQL(" UNION ALL ").join(each)).fetchall()
    return {name: (count, digest) for name, count, digest in rows}


def _of(table: str) -> sql.Composed:
    return sql.SQL(
        "SELECT {name}, count(*), md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), ''))"
        " FROM {table} r"
    ).format(name=sql.Literal(table), table=sql.Identifier(table))
