"""The lot that breaks the last ties: drawn and hidden when a cycle starts, bound by its hash.

Nobody knows it while people vote, and nobody can change it after. What the sources of the contest
published is mixed in, so that whoever had seen the secret could still not foresee the seed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ForeignKey, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base
from mvote.budget.drawing.lots import seed_of
from mvote.people.citizens import hash_check

_REVEALED = text("SELECT revealed_lot(:cycle_id, :contest)")


class CycleLot(Base):
    """One contest's lot. Written by the database alone, for each contest when the cycle starts."""

    __tablename__ = "cycle_lot"
    __table_args__ = (hash_check("commitment"), hash_check("secret"))

    cycle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cycle.id"), primary_key=True)
    contest: Mapped[str] = mapped_column(primary_key=True)
    #: SHA-256 of the secret, public at once
    commitment: Mapped[bytes]
    #: 32 random bytes; `revealed_lot` gives them once all sources are released
    secret: Mapped[bytes] = mapped_column(deferred=True)


@dataclass(frozen=True, kw_only=True)
class Lot:
    """Both halves of the seed, as an allocation publishes them."""

    commitment: bytes
    secret: bytes
    public_value: str

    @property
    def seed(self) -> bytes:
        """SHA-256("mvote/seed/1" ‖ secret ‖ public value). Raises SecretNotCommitted."""
        return seed_of(self.secret, commitment=self.commitment, public_value=self.public_value)

    def document(self) -> dict[str, str]:
        """As everybody gets to see it after the allocation."""
        return {
            "commitment": self.commitment.hex(),
            "secret": self.secret.hex(),
            "public_value": self.public_value,
            "seed": self.seed.hex(),
        }


def lots_of(session: Session, cycle_id: uuid.UUID) -> list[dict[str, str]]:
    """What is public of a cycle's lots from its start: contest and commitment."""
    of_it = select(CycleLot).where(CycleLot.cycle_id == cycle_id).order_by(CycleLot.contest)
    return [
        {"contest": each.contest, "commitment": each.commitment.hex()}
        for each in session.scalars(of_it)
    ]


def revealed_lot(
    session: Session, *, cycle_id: uuid.UUID, contest: str, hashes: Mapping[str, str]
) -> Lot:
    """The lot of a contest whose sources are released.

    *hashes*: by source, of what it published. The public value is `source=hash`, parted by spaces,
    in their order.
    """
    kept = session.get_one(CycleLot, (cycle_id, contest))
    secret = session.execute(_REVEALED, {"cycle_id": cycle_id, "contest": contest}).scalar_one()
    public_value = " ".join(f"{source}={found}" for source, found in hashes.items())
    return Lot(commitment=kept.commitment, secret=secret, public_value=public_value)
