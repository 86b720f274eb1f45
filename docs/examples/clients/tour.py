"""The tour of the README through the Python client that is generated from the contract.

    make clients
    export CITIZEN=$(.venv/bin/flask --app wsgi token --role citizen)
    export OFFICER=$(.venv/bin/flask --app wsgi token --role officer)
    PYTHONPATH=var/clients/python python docs/examples/clients/tour.py http://127.0.0.1:8000 .

It writes `bundle.zip` into the folder that it is told, and says what it saw. With `roll.csv`,
`roll.xlsx` and `picture.png` in that folder it sends them, too.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import sys
import time
import uuid
from pathlib import Path
from typing import Any, TypeVar

from mvote_client import AuthenticatedClient, Client
from mvote_client.api.areas import list_areas, show_area
from mvote_client.api.ballots import cast_ballot, check_eligibility
from mvote_client.api.bundles import download_bundle
from mvote_client.api.files import send_a_picture, show_picture
from mvote_client.api.finding import find_polls_nearby, list_polls
from mvote_client.api.log import show_checkpoint
from mvote_client.api.polls import draft_a_poll, open_a_poll, revise_a_poll, show_poll
from mvote_client.api.results import show_result
from mvote_client.api.rolls import import_a_roll
from mvote_client.api.rooms import look_up_room
from mvote_client.models import (
    AreaFeature,
    AreaPage,
    BallotRequest,
    Eligibility,
    EligibilityAnswer,
    EligibilityRequest,
    Image,
    KeptFile,
    NearbyPolls,
    NearbyRequest,
    NewPoll,
    Option,
    Poll,
    PollChanges,
    PollPage,
    Position,
    Problem,
    Question,
    Receipt,
    Result,
    RollReport,
    RoomPoll,
    RoomRequest,
    ShownQuestion,
    Text,
)
from mvote_client.types import File, Response

Kind = TypeVar("Kind")
PASSWORD = "a room of our own"  # noqa: S105 - an example


def main(address: str, folder: Path) -> None:
    anybody = Client(base_url=address)
    citizen = AuthenticatedClient(base_url=address, token=os.environ["CITIZEN"])
    officer = AuthenticatedClient(base_url=address, token=os.environ["OFFICER"])
    vote(anybody, citizen)
    check(anybody, folder)
    if (folder / "picture.png").exists():
        send_rolls(officer, folder)
        room = ask_in_a_room(officer, folder)
        rank(citizen, *room)
    look_at_other_forms(anybody)


def got(kind: type[Kind], answer: Response[Any]) -> Kind:
    """What was answered, if it is of that *kind*; else the problem ends the tour."""
    if isinstance(answer.parsed, kind):
        return answer.parsed
    raise SystemExit(f"{answer.status_code}: {answer.parsed}")


def here() -> Position:
    """Where we stand, as a phone would say it: at Gwanghwamun."""
    now = dt.datetime.now(dt.UTC)
    return Position(lat=37.5725, lon=126.9769, accuracy_m=12, captured_at=now)


def new_key() -> str:
    """Made once for each ballot, and kept until there is a receipt."""
    return secrets.token_urlsafe(24)


def vote(anybody: Client, citizen: AuthenticatedClient) -> None:
    """Find what is asked here, and cast a ballot: once, whatever happens to the answer."""
    near = find_polls_nearby.sync_detailed(
        client=anybody, body=NearbyRequest(position=here(), radius_m=1000)
    )
    print("near here:", len(got(NearbyPolls, near).items))
    listed = list_polls.sync_detailed(client=anybody, status="open", q="Gwanghwamun")
    poll_id = got(PollPage, listed).items[0].id
    poll = got(Poll, show_poll.sync_detailed(poll_id, client=anybody))
    assert isinstance(poll.question, ShownQuestion)  # noqa: S101 - only a draft may have none
    print("asked:", poll.question.text.en, [option.title.en for option in poll.question.options])
    may = check_eligibility.sync_detailed(
        poll_id, client=citizen, body=EligibilityRequest(position=here())
    )
    print("may vote:", got(EligibilityAnswer, may).may_vote)

    ballot = BallotRequest(selections=[poll.question.options[0].key], position=here())
    key = new_key()
    receipt = got(Receipt, cast(citizen, poll_id, ballot, key))
    print("receipt:", receipt.poll_id, receipt.tracker)
    again = got(Receipt, cast(citizen, poll_id, ballot, key))
    print("the same for the same key:", again == receipt)
    refused = cast(citizen, poll_id, ballot, new_key())
    print("refused:", int(refused.status_code), got(Problem, refused).code)

    ballot.position = Position(lat=99, lon=0, accuracy_m=1, captured_at=dt.datetime.now(dt.UTC))
    wrong = got(Problem, cast(citizen, poll_id, ballot, new_key()))
    print("wrong:", wrong.code, [(fault.pointer, fault.detail) for fault in wrong.errors or []])


def cast(
    citizen: AuthenticatedClient, poll_id: uuid.UUID, ballot: BallotRequest, key: str
) -> Response[Any]:
    return cast_ballot.sync_detailed(poll_id, client=citizen, body=ballot, idempotency_key=key)


def check(anybody: Client, folder: Path) -> None:
    """Read a result, and fetch what anybody can check it with."""
    done = got(PollPage, list_polls.sync_detailed(client=anybody, status="published")).items[0]
    result = got(Result, show_result.sync_detailed(done.id, client=anybody))
    print("result:", result.turnout.ballots, {each.key: each.votes for each in result.options})
    answer = download_bundle.sync_detailed(done.id, client=anybody)
    while answer.status_code == 503:
        time.sleep(float(answer.headers["Retry-After"]))
        answer = download_bundle.sync_detailed(done.id, client=anybody)
    (folder / "bundle.zip").write_bytes(got(File, answer).payload.read())
    print("checkpoint:", got(str, show_checkpoint.sync_detailed(done.id, client=anybody)))


def ask_in_a_room(officer: AuthenticatedClient, folder: Path) -> tuple[str, uuid.UUID]:
    """A private poll with a picture, in which options are ranked: the room's number, its id."""
    with (folder / "picture.png").open("rb") as picture:
        sent = got(KeptFile, send_a_picture.sync_detailed(client=officer, body=File(picture)))
    shown = got(File, show_picture.sync_detailed(sent.sha256, client=officer))
    print("picture:", sent.url, len(shown.payload.read()))
    image = Image(url=sent.url, sha256=sent.sha256, alt=Text(ko="나무", en="A tree"))
    options = [
        Option(key="oak", title=Text(ko="참나무", en="Oak"), image=image),
        Option(key="pine", title="소나무"),
        Option(key="elm", title=Text(ko="느릅나무")),
    ]
    question = Question(
        text="어떤 나무를 심을까요?", kind="ranking", method="borda", options=options
    )
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    wanted = NewPoll(title="나무", question=question, closes_at=ends, room_password=PASSWORD)
    drafted = draft_a_poll.sync_detailed(client=officer, body=wanted)
    draft = got(Poll, drafted)
    title = PollChanges(title=Text(ko="나무 고르기", en="Choose a tree"))
    stale = revise_a_poll.sync_detailed(draft.id, client=officer, body=title, if_match='"old"')
    print("stale:", int(stale.status_code), got(Problem, stale).code)
    version = drafted.headers["ETag"]
    revised = revise_a_poll.sync_detailed(draft.id, client=officer, body=title, if_match=version)
    print("revised:", got(Poll, revised).title.en)
    opened = got(Poll, open_a_poll.sync_detailed(draft.id, client=officer))
    print("opened:", opened.status, [warning.code for warning in opened.warnings or []])
    return str(opened.room_number), opened.id


def send_rolls(officer: AuthenticatedClient, folder: Path) -> None:
    """Try a roll as CSV, then give it as XLSX: what a file is, its first bytes tell."""
    wanted = NewPoll(title="명부에 있는 분들께", eligibility=Eligibility(roll=True))
    draft = got(Poll, draft_a_poll.sync_detailed(client=officer, body=wanted))
    for name, is_trial in (("roll.csv", True), ("roll.xlsx", False)):
        with (folder / name).open("rb") as file:
            answer = import_a_roll.sync_detailed(
                draft.id, client=officer, body=File(file), dry_run=is_trial
            )
        report = got(RollReport, answer)
        print("roll:", name, report.kind, report.accepted, report.dry_run)


def rank(citizen: AuthenticatedClient, number: str, poll_id: uuid.UUID) -> None:
    """Find the room, and rank two of its options."""
    asked = RoomRequest(number=number, password=PASSWORD)
    room = got(RoomPoll, look_up_room.sync_detailed(client=citizen, body=asked))
    assert room.id == poll_id  # noqa: S101 - it is the one that was opened
    ballot = BallotRequest(selections=["pine", "oak"], room_password=PASSWORD)
    receipt = got(Receipt, cast(citizen, room.id, ballot, new_key()))
    print("ranked:", receipt.poll_id == poll_id)


def look_at_other_forms(anybody: Client) -> None:
    """What is no JSON of ours: a boundary as GeoJSON, and a list as a map, by `Accept`."""
    first = got(AreaPage, list_areas.sync_detailed(client=anybody, kind="gu", limit=1)).items[0]
    feature = got(AreaFeature, show_area.sync_detailed(first.area_code, client=anybody))
    print("area:", feature.properties.name.en, feature.geometry["type"])
    raw = anybody.get_httpx_client()
    sites = raw.get("/v1/sites", headers={"Accept": "application/geo+json"})
    print("sites:", sites.headers["Content-Type"], sites.json()["type"])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
