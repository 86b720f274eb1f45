"""`flask attest`: what an app would send, from a server of development that believes itself."""

from __future__ import annotations

import datetime as dt
import os
import uuid

import click
import orjson
from flask import current_app
from flask.cli import with_appcontext

from api.attestation.attestors import development_attestor
from api.commands.plainly import PlainCommand
from api.wiring import wiring
from mvote.base import instant, utc_now
from mvote.polls.integrity.attesting import KEY_ID, position_statement, spelt
from mvote.polls.presence import Position


@click.command(cls=PlainCommand)
@click.option("--poll", type=click.UUID, required=True)
@click.option("--nonce", required=True, help="From POST /v1/positions/nonces.")
@click.option("--lat", type=float, required=True)
@click.option("--lon", type=float, required=True)
@click.option("--accuracy-m", type=float, default=10.0)
@click.option("--key-id", help="The phone's key, to be the same phone again; one is made up.")
@click.option("--mock", is_flag=True, help="The phone says that the position is made up.")
@with_appcontext
def attest(
    *,
    poll: uuid.UUID,
    nonce: str,
    lat: float,
    lon: float,
    accuracy_m: float,
    key_id: str | None,
    mock: bool,
) -> None:
    """Print `position` and `integrity` of a ballot, vouched for. Not in production."""
    settings = current_app.extensions["settings"]
    if settings.environment == "production":
        raise click.ClickException("In production, phones vouch.")
    if key_id is not None and not KEY_ID.fullmatch(key_id):
        raise click.UsageError("--key-id is 32 bytes in base64url, 43 characters.")
    key_id = key_id or spelt(os.urandom(32))
    position = Position(lat=lat, lon=lon, accuracy_m=accuracy_m, captured_at=_now())
    statement = position_statement(
        poll_id=poll, nonce=nonce, position=position, is_mock=mock, key_id=key_id
    )
    token = spelt(development_attestor(settings, wiring().keystore).sign(statement))
    attestation = {"platform": "development", "key_id": key_id, "token": token}
    content = {
        "position": {
            "lat": lat,
            "lon": lon,
            "accuracy_m": accuracy_m,
            "captured_at": instant(position.captured_at),
        },
        "integrity": {"nonce": nonce, "mock": mock, "attestation": attestation},
    }
    click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _now() -> dt.datetime:
    return utc_now().replace(microsecond=0)
