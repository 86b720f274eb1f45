"""What to try once mvote runs: addresses, tokens, three curl lines."""

import json
from collections.abc import Mapping

from ops.machine import var_dir

GWANGHWAMUN = {"lat": 37.5716, "lon": 126.9769}


def text(port: int, tokens: Mapping[str, str]) -> str:
    """A page for the terminal."""
    address = f"http://127.0.0.1:{port}"
    stop = f"Logs are in {var_dir() / 'log'}. Ctrl-C here, or `make stop` elsewhere, stops it all."
    parts = [_addresses(address), _tokens(tokens), _curl(address), stop]
    return "\n".join(part for part in parts if part)


def _addresses(address: str) -> str:
    return f"""
  {address}/docs             the API, to read and to try
  {address}/openapi.yaml     its description
  {address}/v1/polls         the demo's polls
  {address}/v1/sites         its sites in Seoul
"""


def _tokens(tokens: Mapping[str, str]) -> str:
    """Shell variables, to be pasted as they are."""
    if not tokens:
        return ""
    listed = "\n".join(f"{role.upper()}={token}" for role, token in tokens.items())
    more = ".venv/bin/flask --app wsgi token --role citizen"
    return f"Tokens for ten minutes, to paste (more: {more}):\n\n{listed}\n"


def _curl(address: str) -> str:
    position = json.dumps(GWANGHWAMUN)
    return f"""Try:

  curl '{address}/v1/areas?kind=gu'
  curl -H 'Content-Type: application/json' -d '{position}' {address}/v1/areas/locate
  curl -H "Authorization: Bearer $CITIZEN" {address}/v1/me
"""
