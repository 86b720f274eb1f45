"""The stages that a proposal comes through, as far as its state tells."""

from __future__ import annotations

from typing import Literal, get_args

from mvote.budget.delivering.update import FINISHED, IN_DELIVERY
from mvote.budget.proposal import State

Stage = Literal[
    "proposed", "assessed", "approved", "voted", "funded", "enacted", "delivered"
]  # fmt: skip
STAGES: tuple[Stage, ...] = get_args(Stage)
FROZEN: tuple[State, ...] = (
    "on_ballot", "struck", "funded", "reserve", "not_funded", "enacted", "reduced", "dropped",
)  # fmt: skip
"""Whatever was put to the vote, and what became of it."""
_APPROVED: tuple[State, ...] = ("approved", *FROZEN)
_FUNDED: tuple[State, ...] = ("funded", "enacted", "reduced", "dropped")


def reached(state: State, *, is_assessed: bool, percent: int | None) -> tuple[Stage, ...]:
    """The stages that lie behind a proposal in *state*. What was withdrawn or merged into another
    counts as far as it was assessed."""
    has: dict[Stage, bool] = {
        "proposed": True,
        "assessed": is_assessed,
        "approved": state in _APPROVED,
        "voted": state in FROZEN,
        "funded": state in _FUNDED,
        "enacted": state in IN_DELIVERY,
        "delivered": percent == FINISHED,
    }
    return tuple(stage for stage in STAGES if has[stage])
