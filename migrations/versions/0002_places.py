"""Areas, sites, geofences, and where polls are held"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geography, Geometry
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

POINT = "geography(st_setsrid(st_makepoint(lon, lat), 4326))"
ON_EARTH = "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180"
INSTANT = sa.DateTime(timezone=True)

GRANTS = (
    "SELECT, UPDATE (in_use) ON area",
    "SELECT, INSERT, UPDATE ON site",
    "SELECT, INSERT, UPDATE, DELETE ON geofence",
    "SELECT, INSERT, UPDATE, DELETE ON poll_place",
)

AREA_IS_FIXED = """
CREATE FUNCTION area_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.kind, OLD.area_code, OLD.name, OLD.parent_code, OLD.valid_from, OLD.source,
            st_asbinary(OLD.geom), OLD.created_at)
        IS DISTINCT FROM (NEW.id, NEW.kind, NEW.area_code, NEW.name, NEW.parent_code,
            NEW.valid_from, NEW.source, st_asbinary(NEW.geom), NEW.created_at) THEN
        RAISE EXCEPTION 'a version of an area does not change: add another'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    _create_area()
    _create_site()
    _create_geofence()
    _create_poll_place()
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO mvote_api")


def _create_area() -> None:
    op.create_table(
        "area",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(), nullable=False),
        sa.Column("parent_code", sa.String()),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("geom", Geometry("MULTIPOLYGON", 4326, spatial_index=False), nullable=False),
        sa.Column(
            "boundary_sha256",
            sa.String(),
            sa.Computed(
                "encode(sha256(st_asbinary(geom, 'NDR'::text)), 'hex'::text)", persisted=True
            ),
            nullable=False,
        ),
        sa.Column(
            "around",
            Geography("GEOMETRY", 4326, spatial_index=False),
            sa.Computed(
                "geography(st_buffer(st_convexhull(geom), 0.0005, 'quad_segs=1'::text))",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("in_use", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_area"),
        sa.CheckConstraint("kind ~ '^[a-z][a-z0-9_]{0,31}$'", name="kind_is_a_word"),
        sa.CheckConstraint("area_code ~ '^[0-9A-Za-z-]{1,20}$'", name="area_code_is_plain"),
        sa.CheckConstraint("valid_to >= valid_from", name="valid_in_order"),
        sa.CheckConstraint("st_isvalid(geom) AND NOT st_isempty(geom)", name="boundary_valid"),
        postgresql.ExcludeConstraint(
            (sa.column("area_code"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="ex_area_versions",
        ),
    )
    # boundaries hardly compress, and unpacking them would cost more than finding a point in them
    op.execute("ALTER TABLE area ALTER COLUMN geom SET STORAGE EXTERNAL")
    op.create_index("ix_area_area_code", "area", ["area_code"])
    op.create_index("ix_area_kind_area_code", "area", ["kind", "area_code"])
    op.create_index("ix_area_parent_code", "area", ["parent_code"])
    op.create_index("ix_area_geom", "area", ["geom"], postgresql_using="gist")
    op.create_index(
        "ix_area_in_use",
        "area",
        ["around"],
        postgresql_using="gist",
        postgresql_where=sa.text("in_use"),
    )
    op.execute(AREA_IS_FIXED)
    op.execute(
        "CREATE TRIGGER area_is_fixed BEFORE UPDATE ON area"
        " FOR EACH ROW EXECUTE FUNCTION area_is_fixed()"
    )


def _create_site() -> None:
    op.create_table(
        "site",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", postgresql.JSONB(), nullable=False),
        sa.Column("address", postgresql.JSONB(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column(
            "point",
            Geography("POINT", 4326, spatial_index=False),
            sa.Computed(POINT, persisted=True),
            nullable=False,
        ),
        sa.Column("radius_m", sa.Float(), nullable=False),
        sa.Column("opening_hours", postgresql.JSONB()),
        sa.Column("created_by", sa.Uuid()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("in_use", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_site"),
        sa.CheckConstraint(ON_EARTH, name="point_on_earth"),
        sa.CheckConstraint("radius_m BETWEEN 1 AND 10000", name="radius_in_range"),
    )
    op.create_index("ix_site_point", "site", [sa.text("geometry(point)")], postgresql_using="gist")
    op.create_index(
        "ix_site_in_use",
        "site",
        ["point"],
        postgresql_using="gist",
        postgresql_where=sa.text("in_use"),
    )


def _create_geofence() -> None:
    op.create_table(
        "geofence",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("lat", sa.Float()),
        sa.Column("lon", sa.Float()),
        sa.Column(
            "center",
            Geography("POINT", 4326, spatial_index=False),
            sa.Computed(POINT, persisted=True),
        ),
        sa.Column("radius_m", sa.Float()),
        sa.Column("shape", Geometry("MULTIPOLYGON", 4326, spatial_index=False)),
        sa.Column("area_id", sa.Uuid()),
        sa.Column("max_accuracy_m", sa.Float(), server_default=sa.text("100"), nullable=False),
        sa.PrimaryKeyConstraint("poll_id", name="pk_geofence"),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name="fk_geofence_area_id"),
        sa.CheckConstraint("kind IN ('circle', 'polygon', 'area')", name="kind_known"),
        sa.CheckConstraint(
            "CASE kind WHEN 'circle' THEN num_nulls(lat, lon, radius_m) = 0"
            " AND num_nonnulls(shape, area_id) = 0"
            " WHEN 'polygon' THEN shape IS NOT NULL"
            " AND num_nonnulls(lat, lon, radius_m, area_id) = 0"
            " WHEN 'area' THEN area_id IS NOT NULL"
            " AND num_nonnulls(lat, lon, radius_m, shape) = 0 END",
            name="kind_has_what_it_needs",
        ),
        sa.CheckConstraint(ON_EARTH, name="center_on_earth"),
        sa.CheckConstraint("radius_m BETWEEN 10 AND 100000", name="radius_in_range"),
        sa.CheckConstraint("st_isvalid(shape) AND NOT st_isempty(shape)", name="shape_valid"),
        sa.CheckConstraint("max_accuracy_m BETWEEN 1 AND 100000", name="max_accuracy_in_range"),
    )
    op.execute("ALTER TABLE geofence ALTER COLUMN shape SET STORAGE EXTERNAL")


def _create_poll_place() -> None:
    op.create_table(
        "poll_place",
        sa.Column("poll_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid()),
        sa.Column("area_id", sa.Uuid()),
        sa.Column("near", Geography("GEOMETRY", 4326, spatial_index=False)),
        sa.Column("live", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("live_until", INSTANT),
        sa.PrimaryKeyConstraint("poll_id", "place_id", name="pk_poll_place"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_poll_place_site_id"),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name="fk_poll_place_area_id"),
        sa.CheckConstraint("num_nonnulls(site_id, area_id, near) = 1", name="one_kind_of_place"),
    )
    op.create_index(
        "ix_poll_place_near",
        "poll_place",
        ["near"],
        postgresql_using="gist",
        postgresql_where=sa.text("live AND near IS NOT NULL"),
    )
    op.create_index(
        "ix_poll_place_live_until",
        "poll_place",
        ["live_until"],
        postgresql_where=sa.text("live"),
    )
    for column in ("site_id", "area_id"):
        op.create_index(
            f"ix_poll_place_{column}",
            "poll_place",
            [column, "poll_id"],
            postgresql_where=sa.text(f"live AND {column} IS NOT NULL"),
        )


def downgrade() -> None:
    for table in ("poll_place", "geofence", "site", "area"):
        op.drop_table(table)
    op.execute("DROP FUNCTION area_is_fixed()")
    op.execute("DROP EXTENSION btree_gist")
