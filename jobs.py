"""Background entry: closes, shuffles, counts, keeps house, invites. `python jobs.py [ROLE …]`.

Each role is a process of its own with its login, keystore and master key; without one all start.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api import logs
from api.db import WORKER_OPTIONS, new_engine, transaction
from api.holders import open_keystore
from api.messenger import start_messenger
from api.settings import Misconfigured, Settings, read_settings
from api.witnesses import clerk_of
from geo.neighbourhood import CityNeighbourhood
from geo.places import CityPlaces
from mvote.ballotbox.acts import log_notices
from mvote.ballotbox.bundle_making import bundles_due, make_bundle, publish_receipt_keys
from mvote.ballotbox.clerk import Clerk
from mvote.ballotbox.clocks import ClockWatch
from mvote.ballotbox.counting import Manner, count_poll, polls_to_count
from mvote.ballotbox.destroying import (
    UNWATCHED,
    Ends,
    Terms,
    destroy_counted_trustee_keys,
    destroy_keys,
    destroy_keys_of_polls,
    destroy_sealing_keys,
    journal_destroyed_keys,
    may_destroy,
)
from mvote.ballotbox.keystore import DirectoryKeystore, Holder
from mvote.ballotbox.live_counting import count_live, polls_to_count_live
from mvote.ballotbox.log_keys import LogKeys
from mvote.ballotbox.lookout import Lookout
from mvote.ballotbox.progress import note_progress
from mvote.ballotbox.receipts import ReceiptKeys
from mvote.ballotbox.renewing import want_renewal
from mvote.ballotbox.shuffling import close_poll, envelopes_waiting, polls_due, shuffle
from mvote.ballotbox.stock import fill_stock
from mvote.budget.deciding.comparing import finish_contests, work_out_comparisons
from mvote.budget.keeping import keep_budgets
from mvote.housekeeping import keep_lists, remove_expired
from mvote.polls.auditing import begin_audit, polls_to_audit, read_roll, write_audit
from mvote.polls.turnout_cells import Audit
from verifier.mvote_verify import recount

PAUSE_SECONDS = 1.0
PAUSES = {"auditor": 10.0, "keeper": 10.0}  # not urgent, and they look at every key there is
FAULTS = (SQLAlchemyError, LookupError, ValueError, OSError)
"""A lost database, a key that is not there, a key or a row that cannot be read, a full disk."""
log = logging.getLogger("mvote.jobs")
Round = Callable[[], None]
Start = Callable[[Settings, Engine, DirectoryKeystore], Round]


def shuffler_round(
    engine: Engine,
    keystore: DirectoryKeystore,
    lookout: Lookout | None = None,
    clerk: Clerk | None = None,
    watch: ClockWatch | None = None,
) -> None:
    """Close what is due, shuffle what waits, log what was done, sign, destroy keys of the past.

    While signing is refused, as after a restore to an earlier state, no key is destroyed: it may
    be needed when the database is put right.
    """
    with Session(engine) as session:
        due = polls_due(session) if watch is None or watch.is_steady(session) else []
    for poll_id in due:
        with _alone("closing", poll_id):
            _close(engine, keystore, poll_id)
    with Session(engine) as session:
        work = (lookout or Lookout()).look(session)
    for poll_id in work.to_shuffle:
        with _alone("shuffling", poll_id):
            _shuffle(engine, keystore, poll_id)
    for poll_id in work.to_log:
        with _alone("logging", poll_id), Session(engine) as session, transaction(session):
            log_notices(session, poll_id)
    if clerk and not clerk.round():
        return
    if clerk:
        _bundle(engine, keystore, clerk)
    with Session(engine) as session:
        if may_destroy(session, keystore, watch):
            destroy_keys(session, keystore, "L", needed=partial(envelopes_waiting, session))


def _close(engine: Engine, keystore: DirectoryKeystore, poll_id: uuid.UUID) -> None:
    with Session(engine) as session, transaction(session):
        close_poll(session, poll_id)  # false if it is closing already: an earlier round was killed
    _shuffle(engine, keystore, poll_id)


def _shuffle(engine: Engine, keystore: DirectoryKeystore, poll_id: uuid.UUID) -> None:
    """Batch by batch, each a transaction, until no more are due or another worker is at it."""
    while True:
        with Session(engine) as session, transaction(session):
            batch = shuffle(session, keystore, poll_id)
        if batch:
            log.info("shuffled", extra={"poll_id": poll_id, "ballots": batch.ballots})
        if not (batch and batch.waiting):
            return


def _bundle(engine: Engine, keystore: DirectoryKeystore, clerk: Clerk) -> None:
    """Sign what is public of published polls, now that their checkpoints are signed."""
    witnesses = [each.verifier.vkey for each in clerk.witnesses]
    with Session(engine) as session, transaction(session):
        most = want_renewal(session, witnesses=witnesses, already=clerk.most_witnesses)
    clerk.most_witnesses = most
    with Session(engine) as session:
        due = bundles_due(session)
    if not due:
        return
    signer = LogKeys(keystore)
    for poll_id in due:
        with _alone("bundling", poll_id), Session(engine) as session, transaction(session):
            make_bundle(session, poll_id=poll_id, signer=signer, witnesses=witnesses)


def counter_round(engine: Engine, keystore: DirectoryKeystore, ends: Ends = UNWATCHED) -> None:
    """Stock sealing keys, count what is closed or live, destroy the keys of what is settled."""
    _stock(engine, keystore)
    with Session(engine) as session, transaction(session):
        to_compare = finish_contests(session)
        live, closed = polls_to_count_live(session), polls_to_count(session, keystore)
    for poll_id in live:
        with _alone("live counting", poll_id), Session(engine) as session, transaction(session):
            count_live(session, keystore, poll_id)
    manner = Manner(recount=recount, tell=partial(_tell, engine))
    for poll_id in closed:
        with _alone("counting", poll_id), Session(engine) as session, transaction(session):
            published = count_poll(session, keystore, poll_id, manner)
            log.info("counted", extra={"poll_id": poll_id, "published": published})
    for case in to_compare:
        with _alone("comparing", case.poll_id), Session(engine) as session, transaction(session):
            work_out_comparisons(session, case)
    with Session(engine) as session:
        destroy_counted_trustee_keys(session, keystore)
        if may_destroy(session, keystore, ends.watch):
            destroy_sealing_keys(session, keystore, term=ends.terms.appeal)


def _stock(engine: Engine, keystore: DirectoryKeystore) -> None:
    """Keep sealing keys in stock; what is closed is counted even while none can be kept."""
    try:
        with Session(engine) as session, transaction(session):
            fill_stock(session, keystore)
    except OSError:  # a copy of the keystore is away, or a disk is full
        log.exception("no sealing keys made")


def _tell(engine: Engine, poll_id: uuid.UUID, done: int, size: int) -> None:
    """For `flask polls progress`; beside the count, which is one long transaction."""
    with Session(engine) as session, transaction(session):
        note_progress(session, poll_id, done, size)


def keeper_round(engine: Engine, keystore: DirectoryKeystore, ends: Ends = UNWATCHED) -> None:
    """Tell the receipt keys, destroy keys whose time is over, and remove what has expired: last,
    so that no fault in housekeeping keeps a key alive."""
    with Session(engine) as session, transaction(session):
        publish_receipt_keys(session, ReceiptKeys(keystore))
    with Session(engine) as session:
        if may_destroy(session, keystore, ends.watch):
            destroy_keys_of_polls(session, keystore, ends.terms)
    with Session(engine) as session, transaction(session):
        journal_destroyed_keys(session, keystore, ends.terms)
    with Session(engine) as session, transaction(session):
        keep_lists(session, CityPlaces(), ends.hold)
    with Session(engine) as session, transaction(session):
        remove_expired(session)
    with Session(engine) as session, transaction(session):
        keep_budgets(session, around=CityNeighbourhood())


def auditor_round(engine: Engine, keystore: DirectoryKeystore, ends: Ends = UNWATCHED) -> None:
    """Count turnout by area and by age of what was published, in one reading of the roll, and
    destroy the roll keys of what is long over."""
    with Session(engine) as session:
        audits: list[Audit] = []
        for poll_id in polls_to_audit(session, keystore):
            with _alone("auditing", poll_id):
                audits.append(begin_audit(session, keystore, poll_id))
        read_roll(session, audits)
    for audit in audits:
        poll_id = audit.poll.poll_id
        with _alone("auditing", poll_id), Session(engine) as session, transaction(session):
            write_audit(session, audit)
            log.info("audited", extra={"poll_id": poll_id})
    with Session(engine) as session:
        if may_destroy(session, keystore, ends.watch):
            destroy_keys(session, keystore, "V", term=ends.terms.retention)


@contextmanager
def _alone(work: str, poll_id: uuid.UUID) -> Iterator[None]:
    """What goes wrong with one poll is said aloud, and stops no other."""
    try:
        yield
    except FAULTS:
        log.exception("poll stuck", extra={"work": work, "poll_id": poll_id})


def _start_shuffler(settings: Settings, engine: Engine, keystore: DirectoryKeystore) -> Round:
    clerk = clerk_of(settings, engine, keystore)
    return partial(shuffler_round, engine, keystore, Lookout(), clerk, ClockWatch())


def _by(do_round: Callable[[Engine, DirectoryKeystore, Ends], None]) -> Start:
    return lambda settings, engine, keystore: partial(do_round, engine, keystore, _ends(settings))


def _ends(settings: Settings) -> Ends:
    terms = Terms.of_days(appeal=settings.appeal_days, retention=settings.retention_days)
    return Ends(terms=terms, watch=ClockWatch(), hold=dt.timedelta(hours=settings.hold_hours))


ROLES: dict[str, tuple[Holder, Callable[[Settings], str], Start]] = {
    "shuffler": ("shuffler", lambda settings: settings.shuffler_url, _start_shuffler),
    "counter": ("counter", lambda settings: settings.counter_url, _by(counter_round)),
    "auditor": ("auditor", lambda settings: settings.auditor_url, _by(auditor_round)),
    "keeper": ("api", lambda settings: settings.api_url, _by(keeper_round)),
    "messenger": ("api", lambda settings: settings.api_url, start_messenger),
}


def work(role: str, stop: threading.Event) -> None:
    """Do the rounds of *role* until told to stop; a lost database is waited for."""
    logs.configure()
    settings = read_settings()
    holder, url_of, start = ROLES[role]
    keystore = open_keystore(settings, holder)
    engine = new_engine(url_of(settings), **WORKER_OPTIONS)
    do_round = start(settings, engine, keystore)
    while not stop.is_set():
        try:
            do_round()
        except FAULTS:
            log.exception("round failed", extra={"role": role})
        stop.wait(PAUSES.get(role, PAUSE_SECONDS))


def _work_until_signalled(role: str) -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        work(role, stop)
    except Misconfigured as error:
        sys.exit(f"{role}: {error}")


def main(roles: list[str]) -> int:
    """Run the named roles, or all; ends when the first of them ends."""
    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        print(f"no such role: {', '.join(unknown)}; there are {', '.join(ROLES)}", file=sys.stderr)
        return 2
    if len(roles) == 1:
        _work_until_signalled(roles[0])
        return 0
    spawn = multiprocessing.get_context("spawn")
    children = [spawn.Process(target=_work_until_signalled, args=[role]) for role in roles or ROLES]
    for child in children:
        child.start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(PAUSE_SECONDS) and all(child.is_alive() for child in children):
        pass
    for child in children:
        child.terminate()
    for child in children:
        child.join()
    return 0 if stop.is_set() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
