"""A real Chromium, Debian's, for tests that click. A page fails its test on any error it reports."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from programs import find_program

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
TIMEOUT_MS = 15_000
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@contextmanager
def open_chromium() -> Iterator[Browser]:
    program = find_program("chromium", target="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS])
        yield browser
        browser.close()


@contextmanager
def page_at(browser: Browser, url: str, size: dict[str, int] = DESKTOP, **about: Any) -> Iterator[Page]:
    """A page of a profile of its own. What it may not report: errors, and anything asked of another server."""
    faults: list[str] = []
    context = browser.new_context(viewport=size, **about)  # type: ignore[arg-type]
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith((url, "data:")) else faults.append(asked.url))
    page.goto(f"{url}/console/")
    try:
        yield page
        # A refused request is logged by the browser too: those the test wants are its own affair.
        faults = [fault for fault in faults if "Failed to load resource" not in fault]
        assert not faults, "\n".join(faults)
    finally:
        context.close()


def barriers(page: Page) -> list[str]:
    """What axe finds in the way of somebody who cannot see, or cannot use a pointer.

    Wants a page with bypass_csp: axe itself writes inline styles.
    """
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]
