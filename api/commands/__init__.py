"""Commands of `flask --app wsgi …` for whoever installs, operates or tries this out."""

from __future__ import annotations

from flask import Flask

from api.commands import areas, attesting, box, cycles, demo, keys, openapi, people, polls, trustees

COMMANDS = [
    areas.areas,
    attesting.attest,
    box.box,
    cycles.cycles,
    demo.demo,
    people.token,
    people.administrators,
    keys.keys,
    trustees.trustees,
    openapi.openapi,
    polls.polls,
]


def register(app: Flask) -> None:
    """Add every command to *app*."""
    for command in COMMANDS:
        app.cli.add_command(command)
