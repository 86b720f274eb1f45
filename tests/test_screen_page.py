"""The screen's page in a real browser: an hour offline and back, a clock that jumps, a lost key.

The browser is Debian's Chromium, driven by playwright; the page's clock is moved, nobody waits.
"""

from __future__ import annotations

import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect, sync_playwright
from werkzeug.serving import BaseWSGIServer, make_server

from qr.codes import read_url
from tests.support.photographs import SPOILT, with_a_tenth_covered, zbar, zxing
from tests.support.sites import Place
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.world import World

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox"]  # for root in a container; it opens no page but ours
TABLET: ViewportSize = {"width": 800, "height": 1280}
SOON = PATIENCE_SECONDS * 1000
"""ms of real time in which the page has drawn what it was told; it takes a few."""
ANSWERED, ROUNDS = 300, 100
"""ms of real time that the server has between two steps of the page's clock, and how many."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "CI installs chromium: ops/setup.sh dev"
        pytest.skip("no chromium on this machine: bash ops/setup.sh dev installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """The application, served on a port of its own."""
    server: BaseWSGIServer = make_server("127.0.0.1", 0, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[[str], Page]]:
    """Opens a path on a tablet whose clock the test moves; no error may be left unseen."""
    context = browser.new_context(viewport=TABLET, locale="ko-KR")
    context.set_default_timeout(SOON)
    faults: list[str] = []

    def opened(path: str) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.clock.install()
        page.goto(f"{address}{path}")
        return page

    yield opened
    context.close()
    assert faults == []


def is_showing(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-state", "showing", timeout=SOON)


def comes_to(page: Page, state: str) -> None:
    """Let time pass on the tablet, two seconds at a time, until it is in that state."""
    for _ in range(ROUNDS):
        page.clock.run_for(2_000)
        with suppress(AssertionError):
            expect(page.locator("body")).to_have_attribute("data-state", state, timeout=ANSWERED)
            return
    raise AssertionError(f"it never came to be {state}")


def is_blank(page: Page, state: str) -> None:
    """Nothing that could be scanned, and a word in both languages."""
    expect(page.locator("body")).to_have_attribute("data-state", state, timeout=SOON)
    picture = seen(page)
    assert zbar(picture) == zxing(picture) == []
    assert page.locator("#notice-ko").inner_text()
    assert page.locator("#notice-en").inner_text()
    assert page.locator("#value").inner_text() == ""


def seen(page: Page) -> Image.Image:
    return grey(page.screenshot())


def grey(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("L")


def scanned(page: Page, place: Place) -> tuple[str, str]:
    """Code and value, as two decoders read them off the screen."""
    picture = seen(page)
    (url,) = {*zbar(picture), *zxing(picture)}
    code, value = read_url_of(url, place)
    assert value is not None
    return code, value


def read_url_of(url: str, place: Place) -> tuple[str, str | None]:
    host = place.world.settings.host
    return read_url(url.replace("http://", "https://"), host=host)


def screen(place: Place, open_page: Callable[[str], Page]) -> Page:
    """A tablet that shows the code."""
    page = open_page(f"/display#{place.display()['key']}")
    is_showing(page)
    return page


def test_from_the_screen_to_the_ballot(place: Place, open_page: Callable[[str], Page]) -> None:
    made = place.code("rotating")["code"]
    page = screen(place, open_page)
    code, value = scanned(page, place)
    assert code == made
    assert place.poll["title"]["ko"] in page.locator("#title-ko").inner_text()
    landing = open_page(f"/q/{code}#{value}")
    link = landing.locator("a.app").get_attribute("href")
    expected = f"mvote://polls/{place.poll['id']}?code={code}&value={value}"
    assert link == expected
    voter = place.world.citizen()
    scan = place.scan(code, voter, value=value)
    token = scan.get_json()["presence_token"]
    assert place.world.cast(place.poll, voter, presence_token=token).status_code == 201


def test_a_wide_screen_shows_all_of_it(place: Place, open_page: Callable[[str], Page]) -> None:
    place.code("rotating")
    page = screen(place, open_page)
    page.set_viewport_size({"width": 1280, "height": 800})
    box = page.locator("#symbol").bounding_box()
    assert box
    assert box["x"] + box["width"] / 2 == pytest.approx(640, abs=1)
    assert page.evaluate("document.documentElement.scrollHeight") <= 800


def test_the_screen_is_read_whatever_comes_between_it_and_the_camera(
    place: Place, open_page: Callable[[str], Page]
) -> None:
    place.code("rotating")
    picture = grey(screen(place, open_page).locator("#code").screenshot())
    (url,) = zxing(picture)
    for decode in (zbar, zxing):
        for name, spoil in SPOILT.items():
            assert decode(spoil(picture)) == [url], name
            assert decode(spoil(with_a_tenth_covered(picture))) == [url], name


def test_an_hour_offline_shows_nothing_and_the_way_back_shows_what_is_good(
    place: Place, open_page: Callable[[str], Page]
) -> None:
    place.code("rotating")
    page = screen(place, open_page)
    page.context.set_offline(True)
    for _ in range(12):  # an hour in which it tries and tries
        page.clock.run_for(300_000)
    is_blank(page, "stale")
    page.context.set_offline(False)
    comes_to(page, "showing")
    code, value = scanned(page, place)
    assert place.scan(code, place.world.citizen(), value=value).status_code == 201


def test_a_lid_that_was_closed_for_an_hour_opens_on_nothing_stale(
    place: Place, open_page: Callable[[str], Page]
) -> None:
    place.code("rotating")
    page = screen(place, open_page)
    page.context.set_offline(True)
    page.clock.fast_forward("01:00:00")
    is_blank(page, "stale")
    page.context.set_offline(False)
    comes_to(page, "showing")


def test_the_sabotaged_twin_that_blanks_nothing_is_seen_with_a_stale_code(
    place: Place, open_page: Callable[[str], Page]
) -> None:
    place.code("rotating")
    page = screen(place, open_page)

    def sabotage(route: Route) -> None:
        script = route.fetch().text()
        assert "blank('stale')" in script
        route.fulfill(body=script.replace("blank('stale')", "0"), content_type="text/javascript")

    page.route("**/display.js", sabotage)
    page.reload()
    is_showing(page)
    page.context.set_offline(True)
    page.clock.fast_forward("01:00:00")
    is_showing(page)
    assert scanned(page, place)
    with pytest.raises(AssertionError):
        is_blank(page, "showing")


def test_a_code_is_blanked_before_the_server_refuses_it(
    place: Place, open_page: Callable[[str], Page]
) -> None:
    place.code("rotating")
    page = screen(place, open_page)
    page.context.set_offline(True)
    page.clock.run_for(61_000)
    is_blank(page, "stale")


def test_a_tablet_whose_clock_is_wrong_shows_the_same(
    place: Place, open_page: Callable[[str], Page]
) -> None:
    place.code("rotating")
    page = screen(place, open_page)
    page.clock.set_system_time("2031-01-01T00:00:00Z")
    comes_to(page, "showing")
    code, value = scanned(page, place)
    assert place.scan(code, place.world.citizen(), value=value).status_code == 201


def test_a_key_that_is_revoked_shows_nothing_more(
    place: Place, open_page: Callable[[str], Page]
) -> None:
    place.code("rotating")
    made = place.display()
    page = open_page(f"/display#{made['key']}")
    is_showing(page)
    path = f"/v1/displays/{made['id']}"
    place.world.client.delete(path, headers=place.officer.headers)
    comes_to(page, "refused")
    is_blank(page, "refused")


def test_without_a_poll_the_screen_says_so_and_comes_back_with_one(
    place: Place, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"/display#{place.display()['key']}")
    is_blank(page, "none")
    place.code("rotating")
    comes_to(page, "showing")


def test_a_key_can_be_typed_in_and_stays_out_of_every_request(
    place: Place, open_page: Callable[[str], Page]
) -> None:
    place.code("rotating")
    page = open_page("/display")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    key = place.display()["key"]
    page.locator("#key").fill(key)
    page.locator("#key-form button").click()
    is_showing(page)
    assert asked
    assert not [url for url in asked if key in url or key.replace("-", "") in url]


def test_the_page_keeps_the_screen_awake_and_offers_the_full_screen(
    place: Place, open_page: Callable[[str], Page]
) -> None:
    place.code("rotating")
    page = screen(place, open_page)
    page.locator("#fullscreen").click()
    page.wait_for_function("document.fullscreenElement !== null")
    assert page.locator("#fullscreen").is_hidden()
    assert page.locator("#awake").is_hidden() or page.locator("#awake").inner_text()


def test_the_page_loads_nothing_from_elsewhere_and_allows_nothing_inline(place: Place) -> None:
    client = place.world.client
    policy = client.get("/display").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    html = client.get("/display").get_data(as_text=True)
    assert "://" not in html
    assert "style=" not in html
    assert client.get("/display/display.js").status_code == 200
    for name in ("../views.py", "%2e%2e/views.py", "views.py", "display.html"):
        assert client.get(f"/display/{name}").status_code == 404
