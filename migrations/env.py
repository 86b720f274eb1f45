"""Alembic's entry: migrates as the owner of the database, online only."""

from __future__ import annotations

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import pool

import geo.tables  # noqa: F401
import mvote.tables  # noqa: F401
from api.db import new_engine
from api.settings import read_settings
from mvote.base import Base


def run() -> None:
    """Run the migrations on the URL given by the caller, else on the owner's from the settings."""
    url = context.config.attributes.get("url") or read_settings().owner_url
    if not url:
        raise SystemExit("no database: set DATABASE_URL, or start the private one (make run)")
    engine = new_engine(
        url, poolclass=pool.NullPool, pool_size=None, max_overflow=None, pool_timeout=None
    )
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=alembic_helpers.include_object,
            process_revision_directives=alembic_helpers.writer,
            render_item=alembic_helpers.render_item,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
