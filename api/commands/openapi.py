"""`flask openapi write|print`: the contract as a file."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from api import contract
from api.commands.plainly import PlainGroup


@click.group(cls=PlainGroup)
def openapi() -> None:
    """Write or print the contract, generated from the code that serves it."""


@openapi.command()
@click.option(
    "--to", "path", type=click.Path(dir_okay=False, path_type=Path), default=contract.FILE,
    help="Another file than openapi.yaml at the root of the project.",
)  # fmt: skip
@with_appcontext
def write(path: Path) -> None:
    """Write the contract to openapi.yaml, which is committed and compared in a test."""
    path.write_text(contract.text_of(current_app), encoding="utf-8")
    click.echo(f"wrote {path}", err=True)


@openapi.command("print")
@with_appcontext
def print_() -> None:
    """Print the contract as YAML."""
    click.echo(contract.text_of(current_app), nl=False)
