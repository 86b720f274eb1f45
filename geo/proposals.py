"""Where projects would stand: points, drawn areas, official areas; satisfies `ProposalPlaces`."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import orjson
from geoalchemy2 import WKBElement
from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Select,
    String,
    and_,
    delete,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from geo.areas import Area, lineage, today, valid_on
from geo.columns import planar, shape_on_earth
from geo.spots import read_spot
from mvote.base import Base
from mvote.budget.proposal import Proposal
from mvote.errors import Fault, InvalidRequest
from mvote.wording import say

DECIMALS = 7
COARSE = 0.0005
"""Degrees by which the outlines of official areas are simplified on the map of proposals."""


class ProposalPlace(Base):
    """One place of one revision of a proposal."""

    __tablename__ = "proposal_place"
    __table_args__ = (
        ForeignKeyConstraint(
            ["proposal_id", "revision"], ["proposal_revision.proposal_id", "proposal_revision.n"]
        ),
        CheckConstraint("num_nonnulls(shape, area_id) = 1", name="shape_or_area"),
        Index("ix_proposal_place_shape", "shape", postgresql_using="gist"),
    )

    proposal_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    #: the version of an official area
    area_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("area.id"))
    #: a point, or one or several polygons
    shape: Mapped[WKBElement | None] = mapped_column(shape_on_earth(), deferred=True)


class CityProposalPlaces:
    """The places of proposals, kept in PostGIS."""

    def keep(
        self, session: Session, *, proposal_id: uuid.UUID, revision: int, places: list[Any]
    ) -> list[str]:
        """Keep the places of a revision, in place of what it had; the codes of their areas."""
        columns = [read_spot(session, place, f"/places/{n}") for n, place in enumerate(places)]
        mine = (ProposalPlace.proposal_id == proposal_id, ProposalPlace.revision == revision)
        session.execute(delete(ProposalPlace).where(*mine))
        key = {"proposal_id": proposal_id, "revision": revision}
        for position, column in enumerate(columns):
            session.add(ProposalPlace(**key, position=position, **column))
        session.flush()
        outside = session.scalars(_outside(and_(*mine))).all()
        if outside:
            faults = (Fault(f"/places/{n}", say("It lies outside the city.")) for n in outside)
            raise InvalidRequest(*faults)
        return _area_codes(session, and_(*mine))

    def near(
        self, session: Session, *, proposal_id: uuid.UUID, revision: int, within_m: float
    ) -> dict[uuid.UUID, float]:
        """Other proposals with a place so near, each with the distance in metres."""
        there = aliased(ProposalPlace)
        far = func.ST_Distance(ProposalPlace.shape, there.shape)
        query = (
            select(there.proposal_id, func.min(far))
            .join(ProposalPlace, func.ST_DWithin(ProposalPlace.shape, there.shape, within_m))
            .join(
                Proposal,
                and_(Proposal.id == there.proposal_id, Proposal.revision == there.revision),
            )
            .where(
                ProposalPlace.proposal_id == proposal_id,
                ProposalPlace.revision == revision,
                there.proposal_id != proposal_id,
            )
            .group_by(there.proposal_id)
        )
        return dict(session.execute(query).all())

    def shapes(
        self, session: Session, *, revisions: Sequence[tuple[uuid.UUID, int]]
    ) -> dict[uuid.UUID, list[Any]]:
        """For each proposal the GeoJSON geometries of a revision's places."""
        coarse = func.ST_SimplifyPreserveTopology(Area.geom, COARSE)
        shape = func.coalesce(planar(ProposalPlace.shape), coarse)
        query = (
            select(ProposalPlace.proposal_id, func.ST_AsGeoJSON(shape, DECIMALS, type_=String()))
            .outerjoin(Area, Area.id == ProposalPlace.area_id)
            .where(tuple_(ProposalPlace.proposal_id, ProposalPlace.revision).in_(revisions))
            .order_by(ProposalPlace.proposal_id, ProposalPlace.position)
        )
        found: dict[uuid.UUID, list[Any]] = {}
        for proposal_id, text in session.execute(query) if revisions else ():
            found.setdefault(proposal_id, []).append(orjson.loads(text))
        return found


def _outside(mine: ColumnElement[bool]) -> Select[int]:
    """The positions of places that no area covers, nor all that they touch together.

    Where no area is known at all, nobody can say what is outside.
    """
    here = planar(ProposalPlace.shape)
    touched = and_(Area.geom.intersects(here), valid_on(today()))
    covered = select(true()).where(touched, func.ST_Covers(Area.geom, here)).exists()
    around = select(func.ST_Union(Area.geom)).where(touched).scalar_subquery()
    any_area = select(Area.id).exists()
    return (
        select(ProposalPlace.position)
        .where(mine, ProposalPlace.area_id.is_(None), any_area, ~covered)
        .where(~func.coalesce(func.ST_Covers(around, here), false()))
        .order_by(ProposalPlace.position)
    )


def _area_codes(session: Session, mine: ColumnElement[bool]) -> list[str]:
    """The codes of all areas that a place lies in, or is."""
    here = planar(ProposalPlace.shape)
    inside = and_(Area.geom.intersects(here), func.ST_Intersects(Area.geom, here))
    query = (
        select(Area.area_code, Area.id == ProposalPlace.area_id)
        .join(ProposalPlace, or_(Area.id == ProposalPlace.area_id, inside))
        .where(mine, valid_on(today()))
        .distinct()
    )
    codes: set[str] = set()
    for code, is_named in session.execute(query):
        codes |= {code, *((lineage(session, code) or ()) if is_named else ())}
    return sorted(codes)
