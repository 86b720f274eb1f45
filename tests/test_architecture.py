"""The architecture: who may know whom, what stands where, how big things may grow.

Each test is a sentence of it. For each rule there is a made-up module that breaks it, to see that
the rule would be found broken.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.support.code import ENTRIES, OURS, Module, length, modules

Rule = Callable[[Module], Iterator[str]]

EVERYTHING = OURS
MAY_IMPORT: dict[str, frozenset[str]] = {
    "wsgi": frozenset({"api", "verifier"}),
    "api": frozenset({"geo", "qr", "mvote"}),
    "jobs": frozenset(
        {
            "api.db",
            "api.holders",
            "api.logs",
            "api.settings",
            "api.messenger",
            "api.witnesses",
            "geo",
            "qr",
            "mvote",
            "verifier",
        }
    ),
    "geo": frozenset({"mvote"}),
    "mvote": frozenset(),
    "qr": frozenset(),
    "verifier": frozenset(),
    "ops": EVERYTHING,
    "migrations": EVERYTHING,
    "tests": EVERYTHING,
}
WEB = {"flask", "flask_smorest", "flask_sqlalchemy", "marshmallow", "webargs", "werkzeug"}
PICTURES = {"PIL", "qrcode"}
PRODUCT = ("mvote", "geo", "qr", "api", "verifier", *ENTRIES)
LONGEST_FILE, LONGEST_MEDIAN_FILE = 300, 110
ONE_FILE_BY_DESIGN = {"verifier.mvote_verify": 1_450, "verifier.mvote_witness": 450}
"""What somebody carries away and reads from top to bottom, without any other file of ours."""
MEDIAN_FUNCTION, LONG_FUNCTION, MEDIAN_VIEW = 8, 25, 10


def only_imports_what_it_may(module: Module) -> Iterator[str]:
    allowed = MAY_IMPORT[module.package] | {module.package}
    for name in sorted(module.imports()):
        if name.partition(".")[0] in OURS and not any(
            name == each or name.startswith(f"{each}.") for each in allowed
        ):
            yield f"{module.name} imports {name}"


def knows_the_web_only_in_api(module: Module) -> Iterator[str]:
    if module.package not in ("api", "ops", "tests"):
        yield from _names_one_of(module, WEB)


def knows_postgis_only_in_geo(module: Module) -> Iterator[str]:
    if module.package in PRODUCT and module.package != "geo":
        yield from _names_one_of(module, {"geoalchemy2"})
        yield from (f"{module.name} says {name}" for name in sorted(module.postgis_names()))


def makes_pictures_only_in_qr(module: Module) -> Iterator[str]:
    if module.package in PRODUCT and module.package != "qr":
        yield from _names_one_of(module, PICTURES)


def commits_only_in_the_one_transaction(module: Module) -> Iterator[str]:
    if module.package in PRODUCT and module.name != "api.db":
        yield from (f"{module.name}:{line} commits" for line in module.calls("commit"))


def asks_with_select(module: Module) -> Iterator[str]:
    yield from (f"{module.name}:{line} says .query" for line in module.queries_of_models())


def swallows_no_exception_it_does_not_know(module: Module) -> Iterator[str]:
    yield from (f"{module.name}:{line} catches everything" for line in module.swallowed())


def prints_only_where_a_person_sits(module: Module) -> Iterator[str]:
    if module.package not in ("ops", "jobs", "verifier") and "commands" not in module.name:
        yield from (f"{module.name}:{line} prints" for line in module.prints())


def answers_two_officers_in_one_place(module: Module) -> Iterator[str]:
    if module.package == "api" and "api.approvals.RequestedSchema" in module.imports():
        yield f"{module.name} answers 202 by itself: use two_officers and done_or_asked"


def stays_short(module: Module) -> Iterator[str]:
    most = ONE_FILE_BY_DESIGN.get(module.name, LONGEST_FILE)
    if module.package != "migrations" and module.lines > most:  # those are never edited
        yield f"{module.name} has {module.lines} lines"


def says_what_it_takes_and_gives(module: Module) -> Iterator[str]:
    yield from (f"{module.name}.{name} is not annotated" for name in module.unannotated())


def _names_one_of(module: Module, libraries: set[str]) -> Iterator[str]:
    for name in sorted(module.imports()):
        if name.partition(".")[0] in libraries:
            yield f"{module.name} imports {name}"


RULES: tuple[Rule, ...] = (
    only_imports_what_it_may,
    knows_the_web_only_in_api,
    knows_postgis_only_in_geo,
    makes_pictures_only_in_qr,
    commits_only_in_the_one_transaction,
    asks_with_select,
    swallows_no_exception_it_does_not_know,
    prints_only_where_a_person_sits,
    answers_two_officers_in_one_place,
    stays_short,
    says_what_it_takes_and_gives,
)
SABOTAGE: dict[Rule, list[tuple[str, str]]] = {
    only_imports_what_it_may: [
        ("mvote.polls.made_up", "from geo.areas import current"),
        ("mvote.polls.made_up", "def late() -> None:\n    import api.db"),
        ("geo.made_up", "from api import db"),
        ("qr.made_up", "import mvote.base"),
        ("verifier.made_up", "from mvote.ballotbox import vectors"),
        ("jobs", "from api.polls import views"),
        ("wsgi", "from mvote.base import Base"),
        ("api.made_up", "import jobs"),
        ("api.made_up", "from tests.support.world import World"),
    ],
    knows_the_web_only_in_api: [
        ("mvote.made_up", "from flask import request"),
        ("geo.made_up", "import marshmallow as ma"),
        ("jobs", "from werkzeug.exceptions import HTTPException"),
    ],
    knows_postgis_only_in_geo: [
        ("mvote.made_up", "near = func.ST_DWithin(a, b, 5)"),
        ("api.made_up", "text('SELECT st_asbinary(shape) FROM geofence')"),
        ("api.made_up", "from geoalchemy2 import Geometry"),
    ],
    makes_pictures_only_in_qr: [
        ("api.codes.made_up", "from PIL import Image"),
        ("mvote.made_up", "import qrcode"),
    ],
    commits_only_in_the_one_transaction: [
        ("api.polls.made_up", "db.session.commit()"),
        ("mvote.made_up", "def act(session):\n    session.commit()"),
    ],
    asks_with_select: [
        ("mvote.made_up", "polls = Poll.query"),
        ("mvote.made_up", "polls = session.query(Poll)"),
    ],
    swallows_no_exception_it_does_not_know: [
        ("api.made_up", "try:\n    act()\nexcept Exception:\n    pass"),
        ("api.made_up", "try:\n    act()\nexcept:\n    log()"),
        ("mvote.made_up", "try:\n    act()\nexcept (ValueError, BaseException) as e:\n    raise X"),
    ],
    prints_only_where_a_person_sits: [("mvote.made_up", "print('here')")],
    answers_two_officers_in_one_place: [
        ("api.made_up", "from api.approvals import RequestedSchema, requested")
    ],
    stays_short: [
        ("api.made_up", "x = 1\n" * (LONGEST_FILE + 1)),
        ("verifier.mvote_verify", "x = 1\n" * (ONE_FILE_BY_DESIGN["verifier.mvote_verify"] + 1)),
    ],
    says_what_it_takes_and_gives: [
        ("mvote.made_up", "def act(poll) -> None: ..."),
        ("mvote.made_up", "def act(poll: Poll): ..."),
        ("mvote.made_up", "class A:\n    def act(self, *more) -> None: ..."),
    ],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module(rule: Rule) -> None:
    assert [fault for module in modules() for fault in rule(module)] == []


@pytest.mark.parametrize(
    ("rule", "module"),
    [
        pytest.param(rule, Module(*made_up), id=f"{rule.__name__}-{number}")
        for rule, twins in SABOTAGE.items()
        for number, made_up in enumerate(twins)
    ],
)
def test_a_module_that_breaks_the_rule_is_found(rule: Rule, module: Module) -> None:
    assert list(rule(module))


def test_every_rule_has_a_sabotaged_twin() -> None:
    assert set(SABOTAGE) == set(RULES)


def test_a_package_that_nobody_spoke_of_is_found() -> None:
    assert {module.package for module in modules()} <= set(MAY_IMPORT)


def test_docstrings_may_speak_of_postgis() -> None:
    module = Module("mvote.made_up", '"""What ST_Covers finds."""')
    assert list(knows_postgis_only_in_geo(module)) == []


def test_the_one_handler_of_everything_answers_500() -> None:
    registered = [
        module.name
        for module in modules()
        if module.package in PRODUCT and "register_error_handler(Exception" in module.text
    ]
    assert registered == ["api.problems"]


def test_half_of_all_files_have_110_lines_at_most() -> None:
    assert statistics.median(module.lines for module in modules()) <= LONGEST_MEDIAN_FILE


def test_half_of_all_functions_have_8_lines_at_most_and_nine_of_ten_25() -> None:
    lengths = [
        length(each)
        for module in modules()
        if module.package in PRODUCT
        for each in module.functions()
    ]
    assert statistics.median(lengths) <= MEDIAN_FUNCTION
    assert statistics.quantiles(lengths, n=10)[-1] <= LONG_FUNCTION


def test_half_of_all_views_have_10_lines_at_most() -> None:
    views = [view for module in modules() if module.package == "api" for view in module.views()]
    assert len(views) > 20
    assert statistics.median(map(length, views)) <= MEDIAN_VIEW


def test_no_two_tests_are_named_alike(request: pytest.FixtureRequest) -> None:
    """Of those that are, only the first would be run."""
    names = Counter(item.nodeid for item in request.session.items)
    assert [name for name, times in names.items() if times > 1] == []
