"""What ought to happen to a poll when officers act, voters cast and workers work."""

from __future__ import annotations

from dataclasses import dataclass, field

VERBS = ("close", "extend", "void", "publish", "notices")
KINDS = {"close": "early-close", "extend": "extension", "void": "voiding",
         "publish": "publication", "notices": "correction"}  # fmt: skip
ALLOWED = {
    "open": {"close", "extend", "void", "notices"},
    "closing": {"void", "notices"},
    "closed": {"void", "notices"},
    "counted": {"void", "publish", "notices"},
    "published": {"notices"},
    "voided": {"notices"},
}
NEXT = {"close": "closing", "void": "voided", "publish": "published"}
Step = tuple[str, int, int]  # what is done, by whom, with which of two arguments


@dataclass
class Model:
    """What ought to happen."""

    status: str = "open"
    end: int = -1
    requests: dict[tuple[str, int], int] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    corrections: set[int] = field(default_factory=set)
    voted: set[int] = field(default_factory=set)
    lost: int = 0

    def step(self, what: str, who: int, which: int) -> int | None:
        """The status of the answer, if there is one."""
        match what:
            case "cast":
                return self._cast(who)
            case "time is over" if self.status == "open":
                self.status = "closing"
            case "lose an envelope" if self.status in ("open", "closing"):
                self.lost += self.lost < len(self.voted)
            case "shuffle" if self.status == "closing":
                self.status = "closed"
            case "count" if self.status == "closed":
                self.status = "counted" if self.lost else "published"
            case _ if what in VERBS:
                return self._act(what, who, 0 if what in ("close", "publish") else which)
        return None

    def _cast(self, voter: int) -> int:
        if self.status != "open" or voter in self.voted:
            return 409
        self.voted.add(voter)
        return 201

    def _act(self, verb: str, officer: int, which: int) -> int:
        if verb not in ALLOWED[self.status]:
            return 409
        if (verb == "extend" and which <= self.end) or (
            verb == "notices" and which in self.corrections
        ):
            return 422
        if self.requests.setdefault((verb, which), officer) == officer:
            return 202
        del self.requests[verb, which]
        self.notices.append(KINDS[verb])
        self.status = NEXT.get(verb, self.status)
        self.end = max(self.end, which) if verb == "extend" else self.end
        self.corrections |= {which} if verb == "notices" else set()
        return 201 if verb == "notices" else 200
