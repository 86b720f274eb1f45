"""A pool as in Seoul in 2023: 826 applicants, made up with a fixed seed, and that year's rule."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Sequence

from mvote.budget.drawing.quotas import Person, Quota, Rule, each, ratio, scaled, share

GU = tuple(f"11{number:03}" for number in range(110, 735, 25))
AGES = {"39 or younger": 1, "40 to 59": 1, "60 or older": 1}
GENDERS = {"female": 1, "male": 1}
GROUPS = ("teenager", "disabled", "migrant")
SEATS, RESERVES, APPLICANTS = 120, 60, 826


def applicants(count: int = APPLICANTS, *, seed: int = 2023) -> list[Person]:
    """Uneven as real ones: more women, more of the middle ages, some districts much keener."""
    dice = random.Random(seed)
    keenness = [dice.uniform(0.4, 2.0) for _ in GU]
    return [_applicant(number, dice, keenness) for number in range(count)]


def _applicant(number: int, dice: random.Random, keenness: list[float]) -> Person:
    [age] = dice.choices(list(AGES), [25, 45, 30])
    groups = [group for group, odds in zip(GROUPS, (0.0, 0.06, 0.03), strict=True)
              if dice.random() < odds]  # fmt: skip
    if age == "39 or younger" and dice.random() < 0.15:
        groups.append("teenager")
    return Person(
        pseudonym=f"{dice.getrandbits(40):010x}-{number:04}",
        categories={
            "gu": tuple(dice.choices(GU, keenness)),
            "gender": tuple(dice.choices(list(GENDERS), [56, 44])),
            "age": (age,),
            "group": tuple(groups),
        },
    )


def rule_of_2023() -> Rule:
    """At most 6 of a gu; 1 : 1; 1 : 1 : 1; 15 % for the three groups; reserves alike."""
    quotas = (
        *each("gu", GU, at_most=6),
        *ratio("gender", GENDERS, seats=SEATS),
        *ratio("age", AGES, seats=SEATS),
        *share("reserved seats", "group", GROUPS, of="15/100", seats=SEATS),
    )
    reserve_quotas = scaled(quotas, seats=SEATS, reserves=RESERVES)
    return Rule(seats=SEATS, quotas=quotas, reserves=RESERVES, reserve_quotas=reserve_quotas)


def people(**cells: int) -> list[Person]:
    """So many people of each cell; `f_young=3` holds the values f and young."""
    return [
        Person(pseudonym=f"{cell}-{number}", categories={"is": tuple(cell.split("_"))})
        for cell, count in cells.items()
        for number in range(count)
    ]


def of(value: str, at_least: int = 0, at_most: int | None = None) -> Quota:
    return Quota(name=value, category="is", values=(value,), at_least=at_least, at_most=at_most)


def seed(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def counted(pool: Iterable[Person], names: Sequence[str], category: str) -> Counter[str]:
    drawn = set(names)
    return Counter(
        value
        for person in pool
        if person.pseudonym in drawn
        for value in person.categories[category]
    )
