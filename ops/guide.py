"""What to try once mvote runs: addresses, polls, tokens, three curl lines."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from ops.machine import var_dir

USUAL_PORT = 8000
SHOWN = 16  # polls
SCREEN = "screen"
"""The name under which the address of the demo's screen comes with the tokens."""
JSON = "-H 'Content-Type: application/json'"


def text(port: int, tokens: Mapping[str, str]) -> str:
    """A page for the terminal. The server on that port must be ready."""
    address = f"http://127.0.0.1:{port}"
    polls = demo_polls(address)
    stop = f"Logs are in {var_dir() / 'log'}. Ctrl-C here, or `make stop` elsewhere, stops it all."
    people = {role: token for role, token in tokens.items() if role != SCREEN}
    parts = [
        _addresses(address, polls),
        _screen(tokens),
        _tokens(port, people),
        _curl(address, polls),
        stop,
    ]
    return "\n".join(part for part in parts if part)


def demo_polls(address: str) -> list[dict[str, str]]:
    """The newest polls as `id`, `title` and `status`; none if the server does not tell."""
    return [
        {"id": item["id"], "title": _title_of(item), "status": item["status"]}
        for item in _items(f"{address}/v1/polls?limit={SHOWN}")
    ]


def demo_cycles(address: str) -> list[dict[str, str]]:
    """The newest cycles as `title` and `phase`; none if the server does not tell."""
    return [
        {"title": _title_of(item), "phase": item["phase"] or item["status"]}
        for item in _items(f"{address}/v1/cycles?limit={SHOWN}")
    ]


def _title_of(item: dict[str, Any]) -> str:
    """In English, or as whoever made it wrote it: not all polls here are the demo's."""
    title: dict[str, str] = item["title"]
    return title.get("en") or next(iter(title.values()))


def _items(url: str) -> list[dict[str, Any]]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return list(json.load(answer)["items"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _addresses(address: str, polls: list[dict[str, str]]) -> str:
    listed = "".join(f"\n    {poll['status']:<10} {poll['title']}" for poll in polls)
    cycles = "".join(f"\n    {each['phase']:<10} {each['title']}" for each in demo_cycles(address))
    return f"""
  {address}/docs             the API, to read and to try
  {address}/openapi.yaml     its description
  {address}/v1/sites         the demo's sites in Seoul
  {address}/v1/polls         its polls{listed}
  {address}/v1/cycles        its cycles of the participatory budget{cycles}
"""


def _screen(tokens: Mapping[str, str]) -> str:
    """What to open on a tablet, or in a window beside this one."""
    if SCREEN not in tokens:
        return ""
    about = "The screen in the demo's library, whose code changes (docs/onsite.md):"
    return f"{about}\n\n  {tokens[SCREEN]}\n"


def _tokens(port: int, tokens: Mapping[str, str]) -> str:
    """Shell variables, to be pasted as they are."""
    if not tokens:
        return ""
    listed = "\n".join(f"{role.upper()}={token}" for role, token in tokens.items())
    issuer = "" if port == USUAL_PORT else f"PORT={port} "  # tokens name the address they are for
    flask = f"{issuer}.venv/bin/flask --app wsgi"
    more = f"{flask} token --role citizen; reviewers: {flask} demo tokens --shell"
    return f"Tokens for ten minutes, and what opens a room, to paste (more: {more}):\n\n{listed}\n"


def _curl(address: str, polls: list[dict[str, str]]) -> str:
    """Polls near Gwanghwamun Square; who one is; a result."""
    now = "'$(date -u +%FT%TZ)'"  # filled in by the shell
    position = f'{{"lat": 37.5716, "lon": 126.9769, "accuracy_m": 10, "captured_at": "{now}"}}'
    published = [poll["id"] for poll in polls if poll["status"] == "published"]
    last = f"v1/polls/{published[0]}/results" if published else "v1/areas/11110"
    return f"""Try:

  curl {JSON} -d '{{"position": {position}, "radius_m": 2000}}' {address}/v1/polls/nearby
  curl -H "Authorization: Bearer $CITIZEN" {address}/v1/me
  curl {address}/{last}
"""
