"""What lies in one dong, and what near a project's places; satisfies `Neighbourhood`."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ARRAY, Double, Integer, Uuid, and_, func, literal, select, union
from sqlalchemy.orm import Session

from geo.areas import Area, today, valid_on
from geo.columns import on_earth, point
from geo.proposals import ProposalPlace
from mvote.budget.reviewing.neighbourhood import Point

DONGS = ("dong", "legal_dong")
"""Kinds of areas that are neighbourhoods: 행정동 and 법정동."""


class CityNeighbourhood:
    """The neighbourhoods of the city, from its map."""

    def dongs_among(self, session: Session, *, codes: Collection[str]) -> set[str]:
        """Those of the areas' *codes* that are a dong's."""
        dongs = select(Area.area_code).where(
            Area.area_code.in_(list(codes)), Area.kind.in_(DONGS), valid_on(today())
        )
        return set(session.scalars(dongs))

    def near(
        self,
        session: Session,
        *,
        points: Mapping[uuid.UUID, Sequence[Point]],
        revisions: Collection[tuple[uuid.UUID, int]],
        within_m: float,
    ) -> set[tuple[uuid.UUID, uuid.UUID]]:
        """(proposal, whose) for each revision of a proposal with a place so near to a point.

        A place that is an official area counts only if it is a dong.
        """
        each = [(whose, at["lat"], at["lon"]) for whose, found in points.items() for at in found]
        if not each or not revisions:
            return set()
        here = func.unnest(
            literal([whose for whose, _, _ in each], ARRAY(Uuid)),
            literal([lat for _, lat, _ in each], ARRAY(Double)),
            literal([lon for _, _, lon in each], ARRAY(Double)),
        ).table_valued("whose", "lat", "lon").render_derived("here")  # fmt: skip
        there = (
            func.unnest(
                literal([proposal_id for proposal_id, _ in revisions], ARRAY(Uuid)),
                literal([n for _, n in revisions], ARRAY(Integer)),
            )
            .table_valued("proposal_id", "n")
            .render_derived("there")
        )
        spot = on_earth(point(here.c.lat, here.c.lon))
        found = (
            select(ProposalPlace.proposal_id, here.c.whose)
            .join(
                there,
                and_(
                    there.c.proposal_id == ProposalPlace.proposal_id,
                    there.c.n == ProposalPlace.revision,
                ),
            )
            .outerjoin(Area, Area.id == ProposalPlace.area_id)
        )
        at_shapes = found.join(here, func.ST_DWithin(ProposalPlace.shape, spot, within_m))
        at_dongs = found.join(
            here, func.ST_DWithin(on_earth(Area.geom), spot, within_m)
        ).where(Area.kind.in_(DONGS))  # fmt: skip
        return {
            (proposal_id, whose)
            for proposal_id, whose in session.execute(union(at_shapes, at_dongs))
        }
