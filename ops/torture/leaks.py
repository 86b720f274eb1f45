"""What a thief finds in dump, write-ahead log, data files and every log, after real casts."""

from __future__ import annotations

import http.client
import json
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import run

import psycopg
from psycopg.conninfo import conninfo_to_dict

from mvote.ballotbox.vectors import vector_of
from mvote.base import utc_now
from mvote.people.registering import register_many
from mvote.polls.definition import Question
from mvote.polls.frozen import FrozenPolls
from ops.bench.polls import CENTER, CIRCLE
from ops.bench.serving import serving
from ops.bench.stage import Installation
from ops.machine import SetupError
from ops.place import find
from ops.postgres import choose
from ops.torture.load import Load
from ops.torture.needles import Needles
from ops.torture.report import Line
from ops.torture.scene import Caster, Scene, free_port

OPTIONS = [f"o{number:02d}" for number in range(40)]
SEPARATORS = ('","', '", "', ",", ", ", "','", "', '")
AT_THE_GATEWAY = 20  # sign-ins, whose text message fails: errors are logged, too


@dataclass(frozen=True)
class Secret:
    """What a voter sends that nobody may keep, and the phone that they have."""

    caster: Caster
    phone: str
    selections: list[str]
    lat: float
    lon: float

    def body(self) -> str:
        """The request."""
        position = {"lat": self.lat, "lon": self.lon, "accuracy_m": 12.0}
        at = utc_now().isoformat()
        sent = {"selections": self.selections, "position": position | {"captured_at": at}}
        return json.dumps(sent, separators=(",", ":"))


def secrets_of(scene: Scene, count: int) -> list[Secret]:
    """Voters with numbers, places and choices like nobody else's."""
    draw = random.Random()  # noqa: S311
    digits = random.sample(range(10_000_000, 99_999_999), count)
    phones = [f"+8210{number}" for number in digits]
    with scene.here.acting_as("api") as session:
        ids = register_many(session, numbers=phones, phones=scene.app.extensions["phones"])
    return [
        Secret(
            caster=Caster(citizen_id, f"{draw.getrandbits(128):032x}"),
            phone=phone,
            selections=draw.sample(OPTIONS, draw.randint(12, 28)),
            lat=CENTER["lat"] + draw.uniform(-0.005, 0.005),
            lon=CENTER["lon"] + draw.uniform(-0.005, 0.005),
        )
        for citizen_id, phone in zip(ids, phones, strict=True)
    ]


def needles(scene: Scene, secrets: list[Secret]) -> Needles:
    """Everything that must be nowhere, in the forms it can be expected in."""
    return Needles({
        "selections": [each for secret in secrets for each in _selections(scene, secret)],
        "coordinates": [each for secret in secrets for each in _coordinates(secret)],
        "keys K": [secret.caster.key.encode() for secret in secrets]
        + [bytes.fromhex(secret.caster.key) for secret in secrets],
        "phone numbers": [each for secret in secrets for each in _phone(secret.phone)],
    })  # fmt: skip


def _selections(scene: Scene, secret: Secret) -> Iterator[bytes]:
    yield vector_of(_question(scene), secret.selections)
    for order in (secret.selections[:6], sorted(secret.selections)):  # as sent; as put in order
        yield from (separator.join(order).encode() for separator in SEPARATORS)


def _question(scene: Scene) -> Question:
    with scene.here.acting_as("api") as session:
        polls: FrozenPolls = scene.app.extensions["wiring"].polls
        return polls.of(session, scene.poll_id).question


def _coordinates(secret: Secret) -> Iterator[bytes]:
    for degrees in (secret.lat, secret.lon):
        yield str(degrees)[:9].encode()
        yield from (struct.pack(f"{order}d", degrees) for order in "<>")


def _phone(phone: str) -> Iterator[bytes]:
    digits = phone.removeprefix("+8210")
    yield from (f"8210{digits}".encode(), f"010{digits}".encode())
    yield f"10-{digits[:4]}-{digits[4:]}".encode()


def set_scene(here: Installation) -> Scene:
    """A poll with so many options that nobody chooses as another does; only on the spot."""
    options = [{"key": key, "title": {"ko": key, "en": key}} for key in OPTIONS]
    question = {"text": {"ko": "무엇을?", "en": "What?"}, "kind": "multiple", "options": options}
    limits = {"min_selections": 1, "max_selections": len(OPTIONS)}
    refusing = {"SMS_GATEWAY_URL": "https://127.0.0.1:9"}  # answers at once: nobody is there
    here = replace(here, environ={**here.environ, **refusing})
    return Scene.set(here, question=question | limits, presence=CIRCLE)


def live(scene: Scene, secrets: list[Secret]) -> None:
    """Let them vote, and let some ask for a one-time code."""
    told = {secret.caster: secret for secret in secrets}
    with serving(scene.here, port=free_port()) as server:
        load = Load(server.port, scene.poll_id, scene.app.extensions["tokens"])
        load.body = lambda caster: told[caster].body()
        load.begin(list(told)).result()
        if load.refusals:
            raise SetupError(f"not recorded: {load.refusals[0]}")
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        for secret in secrets[:AT_THE_GATEWAY]:
            body = json.dumps({"phone": secret.phone})
            line.request("POST", "/v1/auth/codes", body, {"Content-Type": "application/json"})
            line.getresponse().read()
        line.close()


def sources(scene: Scene, cluster: str) -> dict[str, list[Path]]:
    """What a thief could carry off: a dump made now, and the files as they lie on the disk."""
    place = find(cluster)
    with psycopg.connect(scene.here.admin_url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    dump = scene.here.settings.var / "dump.sql"
    dump.parent.mkdir(parents=True, exist_ok=True)
    _dump(scene, cluster, dump)
    logs = [place.log, *place.log.parent.glob("*.log.1")]
    return {
        "dump": [dump],
        "write-ahead log": [each for each in (place.data / "pg_wal").iterdir() if each.is_file()],
        "data files": [each for each in (place.data / "base").rglob("*") if each.is_file()],
        "logs": logs + list(scene.here.settings.var.rglob("*.log*")),
    }


def _dump(scene: Scene, cluster: str, file: Path) -> None:
    place = find(cluster)
    programs = choose(place.made_by, place.data)
    address = conninfo_to_dict(scene.here.admin_url)
    words = ["--host", str(address["host"]), "--username", str(address["user"])]
    words += ["--dbname", str(address["dbname"]), "--file", str(file)]
    password = {"PGPASSWORD": str(address["password"])}
    run([str(programs.bin / "pg_dump"), *words], env=password, check=True)


Finding = dict[str, dict[str, int]]


def search(wanted: Needles, places: dict[str, list[Path]]) -> Finding:
    """What was found, by place and kind."""
    return {name: wanted.in_files(paths) for name, paths in places.items()}


def leak_search(here: Installation, cluster: str, *, casts: int) -> tuple[Finding, float]:
    """After so many casts: what was found, and in how many MiB."""
    scene = set_scene(here)
    secrets = secrets_of(scene, casts)
    live(scene, secrets)
    places = sources(scene, cluster)
    size = sum(path.stat().st_size for paths in places.values() for path in paths)
    return search(needles(scene, secrets), places), size / 2**20


def lines(found: Finding, mib: float, casts: int) -> list[Line]:
    """What the table says of it."""
    first = Line(f"leak search after {casts:,} casts", f"{mib:,.0f} MiB searched")
    kinds = ("selections", "coordinates", "keys K", "phone numbers")
    return [first] + [
        Line(
            f"  in {place}: {', '.join(kinds)}",
            ", ".join(str(kindly.get(kind, 0)) for kind in kinds),
            "0, 0, 0, 0",
            holds=not kindly,
        )
        for place, kindly in found.items()
    ]
