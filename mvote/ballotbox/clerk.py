"""The clerk of the city's log: signs what is new, shows it to the witnesses, files what they sign.

One round is short, whatever the witnesses do: they are visited in threads, and heard in a later
round. Nothing is signed before each of them was asked once, nor while the log here does not extend
what one of them, the mark file or the database knows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.ballotbox import log as logs
from mvote.ballotbox.checkpoints import LogState, open_checkpoint
from mvote.ballotbox.correspondence import Correspondence
from mvote.ballotbox.extending import Known, NotExtended, known_here, require_extended
from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.log import CITY, EMPTY
from mvote.ballotbox.log_keys import LogKeys
from mvote.ballotbox.log_tables import Checkpoint, Cosignature
from mvote.ballotbox.marks import MarkFile, MarkUnreadable
from mvote.ballotbox.notes import MalformedNote, UnverifiedNote, open_note, parse_note
from mvote.ballotbox.signing import Unsigned, enter_city, sign, unsigned_page
from mvote.ballotbox.witnessing import Answer, Offer, Witness, WitnessFault

REMINDER_S = 60.0
Transaction = Callable[[], AbstractContextManager[Session]]
log = logging.getLogger("mvote.signing")


@dataclass(repr=False)
class Clerk:
    """Signs for the city's log named *city* with the keys in *keystore*."""

    keystore: Keystore
    transaction: Transaction
    city: str
    mark: MarkFile
    witnesses: Sequence[Witness] = ()
    clock: Callable[[], float] = time.monotonic
    #: bundles were made to show as many of the witnesses as have signed one state of the city's log
    most_witnesses: int = 0
    _letters: list[Correspondence] = field(init=False)
    _keys: LogKeys | None = field(init=False, default=None)
    _complaint: tuple[str, float] = field(init=False, default=("", 0.0))

    def __post_init__(self) -> None:
        self._letters = [Correspondence(witness, self.clock) for witness in self.witnesses]

    def round(self) -> bool:
        """Hear the witnesses, sign, show them what is new; whether all that is new is signed."""
        if not self._current_keys().are_all(self.keystore):
            self._fresh_keys()  # witnesses are told of a new key before anything is signed with it
        for letter in self._letters:
            self._hear(letter)
        try:
            signed = self._sign_all()
        except (NotExtended, MarkUnreadable, OSError) as error:
            self._complain(error)
            signed = False
        for letter in self._letters:
            if letter.is_due:
                self._visit(letter)
        return signed

    def wait(self, timeout_s: float) -> None:
        """Wait for the visits that are under way, for each so long at most."""
        for letter in self._letters:
            letter.join(timeout_s)

    def _sign_all(self) -> bool:
        if not all(letter.asked for letter in self._letters):
            return False
        known, page = self._known(), self._next_page(None)
        if not page:
            with self.transaction() as session:
                require_extended(session, [*known_here(session, self.mark), *known])
        while page:
            keys = self._fresh_keys()
            with self.transaction() as session:
                named = enter_city(session, page, mark=self.mark, known=known)
            with self.transaction() as session:
                sign(session, named, keys=keys, city=self.city, mark=self.mark, known=known)
            page = self._next_page(page[-1])
        return True

    def _next_page(self, after: Unsigned | None) -> list[Unsigned]:
        with self.transaction() as session:
            return unsigned_page(session, after)

    def _known(self) -> list[Known]:
        for letter in self._letters:
            if letter.contradicts:
                raise NotExtended(f"{letter.name} has cosigned another history of the city's log")
        return [known for letter in self._letters for known in letter.known]

    def _current_keys(self) -> LogKeys:
        return self._keys or self._fresh_keys()

    def _fresh_keys(self) -> LogKeys:
        """The keys as they are now: one may have been made since."""
        self._keys = LogKeys(self.keystore)
        with self.transaction() as session:
            self._keys.publish(session)
        return self._keys

    def _complain(self, error: Exception) -> None:
        """Say why nothing is signed: at once, and again each minute."""
        reason, now = str(error), self.clock()
        if reason != self._complaint[0] or now >= self._complaint[1]:
            log.error("signing refused", extra={"reason": reason})
            self._complaint = (reason, now + REMINDER_S)

    # the witnesses

    def _hear(self, letter: Correspondence) -> None:
        answer = letter.answer()
        if answer is None:
            return
        try:
            with self.transaction() as session:
                self._file(session, letter, answer)
        except (WitnessFault, MalformedNote, UnverifiedNote) as fault:
            letter.failed(fault)
        else:
            letter.went_well()

    def _file(self, session: Session, letter: Correspondence, answer: Answer) -> None:
        """Check what a witness brought; keep what it knows, and its cosignatures."""
        known = list[Known]()
        if letter.looked:
            letter.proved_from = 0
        if answer.holds is not None:
            known.append(Known(who=letter.name, size=answer.holds, root=None))
            self._file_size(session, letter, answer.holds)
        for raw in answer.notes:
            verifiers = self._current_keys().verifiers(self.city)
            state, _ = open_checkpoint(raw, origin=self.city, verifiers=verifiers)
            known.append(Known(who=letter.name, size=state.size, root=state.root))
            self._file_cosignature(session, letter, raw, state)
        if letter.looked or not letter.witness.readable:
            letter.known = known  # that is all that it holds now

    def _file_size(self, session: Session, letter: Correspondence, size: int) -> None:
        """It holds a state of that size. Which one, the proof from there will show."""
        letter.proved_from, letter.offered = size, None
        newest = logs.signed_checkpoint(session, CITY)
        if newest and size <= newest.size and not letter.told_size:
            letter.asked = False  # wait for that before anything new is signed
        letter.told_size = True

    def _file_cosignature(
        self, session: Session, letter: Correspondence, raw: str, state: LogState
    ) -> None:
        verifier = letter.witness.verifier
        if not any(map(verifier.made, parse_note(raw).signatures)):
            if letter.witness.readable:
                return  # not yet
            raise WitnessFault("it answered without a signature of its own")
        line = open_note(raw, [verifier]).signatures[-1].line
        letter.contradicts = False
        letter.cosigned = letter.proved_from = state.size
        here = session.get(Checkpoint, (CITY, state.size))
        if here and here.root == state.root:
            row = {"poll_id": CITY, "size": state.size, "witness": letter.name, "line": line}
            session.execute(insert(Cosignature).values(row).on_conflict_do_nothing())

    def _visit(self, letter: Correspondence) -> None:
        if letter.witness.readable and not letter.looked:
            letter.look()
        elif offer := self._next_offer(letter):
            letter.offer(offer)
        else:
            letter.wait_until_later()

    def _next_offer(self, letter: Correspondence) -> Offer | None:
        """What the witness has not seen yet, if there is anything to show."""
        with self.transaction() as session:
            newest = logs.signed_checkpoint(session, CITY)
            size, note = (newest.size, newest.note) if newest else (EMPTY.size, None)
            if letter.has_seen(size) or not self._may_show(session, letter, size):
                return None
            old = letter.proved_from
            proof = logs.consistency(session, CITY, old=old, new=size)
        if note is None and letter.witness.readable:
            return None
        return Offer(note=note or self._question(), size=size, old=old, proof=tuple(proof))

    def _may_show(self, session: Session, letter: Correspondence, size: int) -> bool:
        """Our log is no older than its own, and nothing that contradicts ours is overwritten."""
        if any(known.size > size for known in letter.known):
            return False
        try:
            require_extended(session, letter.known)
        except NotExtended:
            return not letter.witness.readable
        return True

    def _question(self) -> str:
        """The empty log, signed: contradicts nothing, and makes a witness tell what it holds."""
        empty = LogState(origin=self.city, size=EMPTY.size, root=EMPTY.root)
        return self._current_keys().sign(empty.text, origin=self.city)
