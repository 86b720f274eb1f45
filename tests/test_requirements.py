"""What is installed beside us may be used by everybody who installs it."""

from __future__ import annotations

import re
from importlib.metadata import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[\w+\])?==", re.MULTILINE)


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_nobody_needs_a_bought_licence_for_what_is_installed(file: str) -> None:
    packages = PINNED.findall((ROOT / file).read_text())
    assert len(packages) > 20
    licences = {each: str(metadata(each).json.get("license", "")) for each in packages}
    assert [each for each in packages if licences[each].lower() == "proprietary"] == []
