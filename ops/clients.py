"""Clients made from the committed contract: `python -m ops.clients [FOLDER]`, or `make clients`.

They are made where they are used and never committed; the tours in docs/examples/clients go through
them. Needs no network: the generators were installed with the tools for development.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ops import npm
from ops.machine import ROOT, SetupError, command, say, var_dir

CONTRACT = ROOT / "openapi.yaml"
EXAMPLES = ROOT / "docs" / "examples" / "clients"
PACKAGE = "mvote_client"
TYPES = "mvote.d.ts"
OPTIONAL_SECURITY = "      security:\n      - {}\n      - token: []\n"
NO_SECURITY = "      security: []\n"


def make_python(folder: Path) -> str:
    """The package `mvote_client` within *folder*; what the generator had to say.

    It knows of no token that may be sent and need not: such calls would take none but an
    `AuthenticatedClient`. Those that send no token take either client, so it is shown these.
    """
    text = CONTRACT.read_text(encoding="utf-8").replace(OPTIONAL_SECURITY, NO_SECURITY)
    with TemporaryDirectory() as place:
        contract = Path(place) / CONTRACT.name
        contract.write_text(text, encoding="utf-8")
        words: list[str | Path] = [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--overwrite"),
            *("--meta", "none", "--config", EXAMPLES / "python.yaml", "--path", contract),
            *("--output-path", folder / PACKAGE),
        ]
        return _said(words, folder)


def make_typescript(folder: Path) -> str:
    """The types of the contract, within *folder*; what the generator had to say.

    What has a default may be left out.
    """
    generator = npm.HOME / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    words: list[str | Path] = [node(), generator, CONTRACT, "--output", folder / TYPES]
    return _said([*words, "--default-non-nullable=false"], folder)


def node() -> Path:
    """The program that runs TypeScript. Raises SetupError without it, or without the packages."""
    program = npm.node()
    if program is None or not npm.is_installed():
        raise SetupError("node and its packages are not installed; `make lint` tries again.")
    return program


def _said(words: list[str | Path], folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode != 0:
        raise SetupError(done.stdout + done.stderr)
    return done.stdout + done.stderr


def main() -> int:
    folder = Path(sys.argv[1]) if sys.argv[1:] else var_dir() / "clients"
    make_python(folder / "python")
    say(f"{folder / 'python' / PACKAGE}")
    make_typescript(folder / "typescript")
    say(f"{folder / 'typescript' / TYPES}")
    return 0


if __name__ == "__main__":
    command(main)
