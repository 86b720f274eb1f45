"""Who is one person in which poll, as a model: what accounts, numbers and identities come to."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from uuid import UUID

Credential = str
"""A number (`n0`, `n1`, …) or an identity (`i0`, …)."""


@dataclass
class Asked:
    """A poll: whom it takes for one, and who of those has voted. Fixed when it opened."""

    of_account: dict[UUID, int]
    of_credential: dict[Credential, int]
    voted: set[int] = field(default_factory=set)
    is_over: bool = False


@dataclass
class People:
    """Everybody; a group is what votes as one person in polls opened from now on."""

    holder: dict[Credential, UUID] = field(default_factory=dict)
    group: dict[UUID, int] = field(default_factory=dict)
    #: credentials that were given up in a poll's time, and whose they still are; None: a stranger's
    left: dict[Credential, int | None] = field(default_factory=dict)
    polls: list[Asked] = field(default_factory=list)
    _new: itertools.count[int] = field(default_factory=itertools.count)

    def held_by(self, account: UUID) -> list[Credential]:
        return [each for each, holder in self.holder.items() if holder == account]

    def comes(self, credential: Credential, account: UUID) -> None:
        """Signs in with it; *account* is new if nobody held it."""
        if credential in self.holder:
            assert self.holder[credential] == account
            return
        self.holder[credential] = account
        before = self.left.get(credential)
        self.group[account] = next(self._new) if before is None else before
        for poll in self.polls:
            mine = poll.of_credential.setdefault(credential, next(self._new))
            poll.of_account[account] = mine

    def takes(self, account: UUID, credential: Credential) -> None:
        """A credential that nobody holds comes into an account."""
        self.holder[credential] = account
        if credential in self.left:  # in polls that are open it means what it meant before
            return
        for poll in self.polls:
            poll.of_credential[credential] = poll.of_account[account]

    def is_anothers(self, account: UUID, credential: Credential) -> bool:
        """Given up, and in a poll that is open still somebody else's."""
        return credential in self.left and any(
            poll.of_credential[credential] != poll.of_account[account]
            for poll in self.polls
            if not poll.is_over
        )

    def gives_up(self, credential: Credential, *, stays: bool) -> None:
        """*stays*: later polls, too, take whoever comes with it for the same person."""
        account = self.holder.pop(credential)
        if any(not poll.is_over for poll in self.polls):
            self.left[credential] = self.group[account] if stays else None

    def are_one(self, one: UUID, other: UUID) -> None:
        before, after = self.group[one], self.group[other]
        for table in (self.group, self.left):
            for key, group in list(table.items()):
                if group == before:
                    table[key] = after  # type: ignore[index]

    def deletes(self, account: UUID) -> None:
        mine = self.held_by(account)
        group = self.group[account]
        shared = list(self.group.values()).count(group) > 1
        with_identity = any(each.startswith("i") for each in mine)
        for each in mine:
            self.gives_up(each, stays=each.startswith("i") or not (with_identity or shared))
        del self.group[account]

    def opens(self) -> None:
        of_account = dict(self.group)
        held = {each: group for each, group in self.left.items() if group is not None}
        held |= {each: self.group[holder] for each, holder in self.holder.items()}
        self.polls.append(Asked(of_account, held))

    def casts(self, account: UUID, poll: Asked) -> tuple[int, str | None]:
        """Status and code of the answer."""
        mine = poll.of_account[account]
        if mine in poll.voted:
            return 409, "already-voted"
        if poll.is_over:
            return 409, "poll-not-open"
        poll.voted.add(mine)
        return 201, None
