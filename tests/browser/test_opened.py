"""Every panel with something open in it, wide by pointer and narrow by finger: nothing in anybody's way."""

from collections.abc import Callable, Iterator

import pytest
from chromium import DESKTOP, PHONE, barriers, page_at
from clicks import ask_for, open_panel, said
from e2e.server import Server
from playwright.sync_api import Browser, Locator, Page, expect

Press = Callable[[Locator], None]
"""A click, or a tap."""


@pytest.fixture(scope="module", autouse=True)
def furnished(server: Server) -> Iterator[None]:
    """What there is to open: a placement, an experiment, an edited interest, a hidden item, an event on a slate."""
    rules = {"k": 6, "pins": {"1": "i55"}, "exploration": 0.5, "description": "The first shelf"}
    server.ask("PUT", "/v1/placements/home", rules, expect=201)
    server.ask("PATCH", "/v1/items/i59", {"hidden": True})
    arms = [{}, {"diversity": 0.3}]
    server.ask("POST", "/v1/experiments", {"name": "mixed", "arms": arms, "effect": 0.02}, expect=201)
    edits = {"operations": [{"op": "never", "phrase": "western"}]}
    server.ask("PATCH", "/v1/users/u11/interests", edits)
    slate = server.recommend(user_id="u11", placement="home")
    event = {"user_id": "u11", "item_id": slate["items"][1]["item_id"], "type": "like", "slate_id": slate["slate_id"]}
    server.send(event | {"event_id": "opened"})
    yield
    server.ask("DELETE", "/v1/placements/home", expect=204)
    server.ask("PATCH", "/v1/items/i59", {"hidden": False})
    server.ask("DELETE", "/v1/experiments/mixed", expect=204)


def unfold(page: Page, press: Press) -> None:
    """What is folded on a phone."""
    while page.locator(".fold:not([open]) > summary").count():
        press(page.locator(".fold:not([open]) > summary").first)


def open_why(page: Page, press: Press) -> None:
    unfold(page, press)
    page.get_by_label("Placement").select_option("home")
    page.get_by_label("Steer it, this once").fill("western")
    expect(page.locator(".answer[aria-busy=false] .ranked .badge").first).to_be_visible()
    press(page.locator(".ranked li").first.get_by_role("button"))
    expect(page.locator(".why .similar li")).to_have_count(5)
    expect(page.locator(".why .without tbody tr, .why .hint").first).to_be_visible()
    press(page.locator(".why summary"))
    expect(page.locator(".why pre")).to_be_visible()


def open_why_not(page: Page, press: Press) -> None:
    page.get_by_role("combobox", name="Why is something not here?").fill("bright cartoon")
    press(page.get_by_role("option", name="bright cartoon film"))
    expect(page.locator("#why-title")).to_have_text("bright cartoon film")
    expect(page.locator(".why .told").first).to_contain_text("hidden")


def open_interests(page: Page, _press: Press) -> None:
    open_panel(page, "Interests")
    expect(page.locator(".interests h2").first).to_be_visible()
    expect(page.get_by_label("What they said")).to_contain_text("never western")


def open_map(page: Page, press: Press) -> None:
    open_panel(page, "Map")
    press(page.locator(".categories").get_by_role("button").first)
    expect(page.locator(".categories [aria-pressed=true]")).to_have_count(1)
    press(page.get_by_role("button", name="Closer"))


def open_editor(page: Page, press: Press) -> None:
    open_panel(page, "Catalogue")
    press(page.get_by_text("Hidden", exact=True).first)
    press(page.get_by_role("list", name="Items found").get_by_role("button"))
    expect(page.get_by_role("switch", name="Hidden")).to_be_checked()
    press(page.get_by_role("button", name="Delete", exact=True))
    page.get_by_label("Properties").fill("[1]")
    press(page.get_by_role("button", name="Save"))
    expect(page.get_by_role("alert")).to_contain_text("no JSON object")


def open_placement(page: Page, press: Press) -> None:
    open_panel(page, "Placements")
    press(page.get_by_role("button", name="home The first shelf"))
    expect(page.locator(".is-numbered li")).to_have_count(6)
    press(page.get_by_role("button", name="Delete", exact=True))


def open_experiment(page: Page, press: Press) -> None:
    open_panel(page, "Experiments")
    press(page.get_by_role("button", name="mixed"))
    expect(page.locator(".arms tbody tr")).to_have_count(2)
    press(page.get_by_text("What stopping goes by"))
    press(page.get_by_role("button", name="End this experiment"))


def open_new_experiment(page: Page, press: Press) -> None:
    open_panel(page, "Experiments")
    press(page.get_by_role("button", name="New experiment"))
    expect(page.get_by_role("form", name="New experiment")).to_be_visible()


def open_outcomes(page: Page, press: Press) -> None:
    open_panel(page, "Outcomes")
    press(page.get_by_text("By placement", exact=True))
    expect(page.get_by_role("region", name="Outcomes")).to_contain_text("home")
    expect(page.get_by_role("img", name="Click rate")).to_be_visible()


def open_bundle(page: Page, press: Press) -> None:
    open_panel(page, "Bundles")
    press(page.get_by_role("list", name="Bundles").get_by_role("button").filter(has_text="at rest"))
    press(page.get_by_role("button", name="Let it answer"))
    expect(page.get_by_role("button", name="Yes, change what everybody gets")).to_be_visible()


def open_live(page: Page, _press: Press) -> None:
    open_panel(page, "Live")
    expect(page.get_by_role("img", name="Requests to /v1")).to_be_visible()


OPEN = (
    *(open_why, open_why_not, open_interests, open_map, open_editor, open_placement, open_experiment),
    *(open_new_experiment, open_outcomes, open_bundle, open_live),
)


@pytest.mark.parametrize("opened", OPEN, ids=lambda opened: opened.__name__.removeprefix("open_"))
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_what_is_open_has_no_barrier_and_does_not_scroll_sideways(
    browser: Browser, server: Server, size: dict[str, int], opened: Callable[[Page, Press], None]
) -> None:
    is_phone = size is PHONE
    with page_at(browser, server.url, size, color_scheme="light", bypass_csp=True, has_touch=is_phone) as page:
        ask_for(page, "u11")
        opened(page, Locator.tap if is_phone else Locator.click)
        expect(page.locator(".loading")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            assert (scheme, barriers(page)) == (scheme, [])


def test_every_panel_that_is_offered_is_opened_here(browser: Browser, server: Server) -> None:
    with page_at(browser, server.url) as page:
        expect(said(page, "Loading what this server offers")).to_have_count(0)
        panels = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    told = {"Slate", "Interests", "Map", "Catalogue", "Placements", "Experiments", "Outcomes", "Bundles", "Live"}
    assert set(panels) == told
