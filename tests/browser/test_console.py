"""The console as people use it: every panel clicked through in a real Chromium on the real server.

The slate is in test_slate.py; what is open on a phone, and what stands in anybody's way, is in test_opened.py.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import PHONE, barriers, page_at
from clicks import ask_for, change_answer, hold, newest, open_panel, refuse, said, titles, titles_of
from e2e.server import Server
from playwright.sync_api import Browser, Locator, Page, expect


def test_the_map_shows_the_catalogue_and_moves_by_keyboard(page: Page) -> None:
    open_panel(page, "Map")
    page.get_by_label("User id").fill("u1")
    expect(page.get_by_text("60 items of 60")).to_be_visible()
    expect(page.locator(".map-interests li")).to_have_count(2)

    canvas = page.get_by_role("img", name="Map of 60 items")
    drawn = canvas.screenshot()
    canvas.focus()
    for key in ("+", "+", "ArrowLeft"):
        page.keyboard.press(key)
    assert canvas.screenshot() != drawn
    page.keyboard.press("0")
    page.locator(".categories").get_by_role("button").filter(has_text="space").click()
    assert canvas.screenshot() != drawn


def test_interests_are_drawn_on_the_map_where_the_api_places_them(page: Page, server: Server) -> None:
    told = server.ask("GET", "/v1/map?user_id=u1&limit=3000")
    open_panel(page, "Map")
    page.get_by_label("User id").fill("u1")
    canvas = page.get_by_role("img", name="Map of 60 items and 2 interests")
    expect(canvas).to_be_visible()

    accent = canvas.evaluate(DISC, {"x": told["interests"][0]["x"], "y": told["interests"][0]["y"], "map": told})
    assert accent["found"] == accent["wanted"]
    # Nobody's map has the same items, and nothing where the interest was.
    page.get_by_label("User id").fill("nobody-at-all")
    expect(page.get_by_text("Nobody is on the map")).to_be_visible()
    empty = page.get_by_role("img", name="Map of 60 items and 0 interests")
    gone = empty.evaluate(DISC, {"x": told["interests"][0]["x"], "y": told["interests"][0]["y"], "map": told})
    assert gone["found"] != gone["wanted"]


# The colour on the canvas a little left of the figure in an interest's disc, and the accent as the page knows it.
DISC = """(canvas, {x, y, map}) => {
    const points = [...map.items, ...map.interests];
    const ends = (pick) => [Math.min(...points.map(pick)), Math.max(...points.map(pick))];
    const [left, right] = ends((point) => point.x), [low, high] = ends((point) => point.y);
    const [wide, tall] = [canvas.clientWidth, canvas.clientHeight];
    const scale = 0.88 * Math.min(wide / (right - left), tall / (high - low));
    const place = [wide / 2 + (x - (left + right) / 2) * scale - 7, tall / 2 - (y - (low + high) / 2) * scale];
    const ratio = canvas.width / wide;
    const pixel = canvas.getContext("2d").getImageData(place[0] * ratio, place[1] * ratio, 1, 1).data;
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = "var(--accent)";
    const wanted = getComputedStyle(probe).color;
    probe.remove();
    return {found: `rgb(${pixel[0]}, ${pixel[1]}, ${pixel[2]})`, wanted};
}"""


def test_what_the_map_had_to_do_without_is_said(page: Page) -> None:
    change_answer(page, "**/v1/map*", lambda told: told.update(degraded=["encoder_overloaded"]))
    open_panel(page, "Map")

    expect(page.locator(".degraded")).to_contain_text("no time to read the history")


def listed(page: Page) -> Locator:
    return page.get_by_role("list", name="Items found").get_by_role("button")


def find(page: Page, text: str) -> None:
    page.get_by_label("Search the catalogue").fill(text)


def test_an_item_is_written_found_changed_and_deleted(page: Page, server: Server) -> None:
    open_panel(page, "Catalogue")
    page.get_by_role("button", name="New item").click()
    page.get_by_label("Item id").fill("night-train")
    page.get_by_label("Title").fill("quiet new romance film")
    page.get_by_label("Categories").fill("romance, night")
    page.get_by_label("Properties").fill('{"year": 2024, "price": 3}')
    page.get_by_role("button", name="Create").click()
    expect(said(page, "is written")).to_be_visible()
    assert server.ask("GET", "/v1/items/night-train")["properties"] == {"year": 2024, "price": 3}

    find(page, "night")  # a category, by its whole name
    expect(listed(page)).to_have_text(["quiet new romance film romance · night night-train"], use_inner_text=True)
    listed(page).click()
    page.get_by_label("Properties").fill("{year}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("no JSON object")

    # What somebody else has written meanwhile, and was not touched here, stays.
    server.ask("PATCH", "/v1/items/night-train", {"description": "Told elsewhere.", "properties": {"stars": 4}})
    page.get_by_label("Title").fill("quiet old romance film")
    page.get_by_label("Properties").fill('{"year": 2025}')
    page.get_by_role("button", name="Save").click()
    expect(said(page, "is changed")).to_be_visible()
    stored = server.ask("GET", "/v1/items/night-train")
    assert (stored["title"], stored["description"]) == ("quiet old romance film", "Told elsewhere.")
    assert stored["properties"] == {"year": 2025, "stars": 4}
    expect(page.get_by_label("Description")).to_have_value("Told elsewhere.")
    find(page, "quiet old romance")
    expect(listed(page)).to_have_count(1)

    open_panel(page, "Slate")
    page.get_by_role("combobox", name="Leave out").fill("night-train")
    expect(page.get_by_role("option", name="quiet old romance film")).to_be_visible()

    open_panel(page, "Catalogue")
    find(page, "night-train")
    listed(page).click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete it for good").click()
    expect(said(page, "is deleted")).to_be_visible()
    server.ask("GET", "/v1/items/night-train", expect=404)
    expect(page.get_by_text("Nothing found")).to_be_visible()
    expect(listed(page)).to_have_count(0)


def test_an_item_is_hidden_listed_as_hidden_changed_without_being_shown_and_shown_again(
    page: Page, server: Server
) -> None:
    server.ask("PUT", "/v1/items/curtain", {"title": "loud curtain film"}, expect=201)
    page.reload()
    open_panel(page, "Catalogue")
    find(page, "curtain")
    listed(page).click()
    page.get_by_role("switch", name="Hidden").check()
    page.get_by_role("button", name="Save").click()
    expect(said(page, "in no slate")).to_be_visible()
    assert server.ask("GET", "/v1/items/curtain")["hidden"] is True
    find(page, "")
    page.get_by_text("Hidden", exact=True).first.click()
    expect(listed(page)).to_have_count(1)

    listed(page).click()
    page.get_by_label("Description").fill("Behind it.")
    page.get_by_role("button", name="Save").click()
    expect(said(page, "is changed")).to_be_visible()
    assert server.ask("GET", "/v1/items/curtain")["hidden"] is True

    page.get_by_role("switch", name="Hidden").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nothing is hidden")).to_be_visible()
    stored = server.ask("GET", "/v1/items/curtain")
    assert (stored["hidden"], stored["description"]) == (False, "Behind it.")
    server.ask("DELETE", "/v1/items/curtain", expect=204)


def test_a_new_item_does_not_replace_one_that_is_there(page: Page, server: Server) -> None:
    open_panel(page, "Catalogue")
    page.get_by_role("button", name="New item").click()
    page.get_by_label("Item id").fill("i0")
    page.get_by_label("Title").fill("another film")
    page.get_by_role("button", name="Create").click()

    expect(page.get_by_role("alert")).to_contain_text("i0 is an item already, red space film")
    assert server.ask("GET", "/v1/items/i0")["title"] == "red space film"


def test_a_catalogue_on_its_way_or_not_to_be_read_is_no_empty_one(page: Page) -> None:
    open_panel(page, "Catalogue")
    expect(said(page, "60 items")).to_be_visible()  # so that this page asks no more, and what is held is the next one's
    waiting = hold(page, "**/v1/items/export")
    page.reload()
    expect(said(page, "Loading the catalogue")).to_be_attached()
    assert "0 items" not in page.locator("main").inner_text()
    newest(page, waiting).abort()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    assert "0 items" not in page.locator("main").inner_text()

    page.unroute("**/v1/items/export")
    page.get_by_role("button", name="Ask again").click()
    expect(said(page, "60 items")).to_be_visible()


def test_a_catalogue_larger_than_the_list_says_so_and_is_searched_by_the_server(page: Page, server: Server) -> None:
    lines = "".join(f'{{"item_id": "x{n:05}", "title": "sample {n}"}}\n' for n in range(20_001))
    page.route("**/v1/items/export", lambda route: route.fulfill(body=lines, content_type="application/jsonl"))
    page.reload()
    open_panel(page, "Catalogue")
    expect(said(page, "of the first 20,000 by id: this catalogue is larger")).to_be_visible()
    expect(page.get_by_role("button", name="Search all of it")).to_have_count(0)

    find(page, "quiet space film")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.get_by_role("button", name="Search all of it").click()
    found = titles_of(server.ask("POST", "/v1/search", {"words": "quiet space film", "k": 50}))
    expect(listed(page).locator("span:first-child")).to_have_text(found)
    listed(page).first.click()
    expect(page.get_by_label("Title")).to_have_value(found[0])


def test_a_bundle_is_verified_let_answer_and_gone_back_from(page: Page, server: Server) -> None:
    first = server.recommend(k=1)["served_by"]["bundle"]
    (other,) = {told["version"] for told in server.ask("GET", "/v1/bundles")["bundles"]} - {first}
    open_panel(page, "Bundles")
    opened = page.get_by_role("region", name=f"Bundle {first}")
    expect(opened).to_contain_text("60")
    expect(opened.get_by_role("button", name="Let it answer")).to_have_count(0)
    opened.get_by_role("button", name="Verify").click()
    expect(said(page, "is whole")).to_be_visible()

    page.get_by_role("list", name="Bundles").get_by_role("button", name=other).click()
    opened = page.get_by_role("region", name=f"Bundle {other}")
    opened.get_by_role("button", name="Let it answer").click()
    opened.get_by_role("button", name="Leave it").click()
    assert server.recommend(k=1)["served_by"]["bundle"] == first
    opened.get_by_role("button", name="Let it answer").click()
    opened.get_by_role("button", name="Yes, change what everybody gets").click()
    expect(said(page, f"{other} answers, {first} no longer")).to_be_visible(timeout=30_000)
    assert server.recommend(k=1)["served_by"]["bundle"] == other
    expect(page.get_by_role("button", name=other)).to_contain_text("answers")

    opened.get_by_role("button", name="Go back to the one before").click()
    opened.get_by_role("button", name="Yes, change what everybody gets").click()
    expect(said(page, f"Back to {first}")).to_be_visible(timeout=30_000)
    assert server.recommend(k=1)["served_by"]["bundle"] == first


def test_a_placement_is_created_tried_changed_and_deleted(page: Page, server: Server) -> None:
    ask_for(page, "u2")
    open_panel(page, "Placements")
    expect(page.get_by_text("No placements yet")).to_be_visible()
    page.get_by_role("button", name="New placement").click()
    page.get_by_label("Name").fill("front")
    page.get_by_label("Length").fill("4")
    page.get_by_label("Everything else").fill('{"pins": {"1": "i55"}}')
    page.get_by_role("button", name="Create").click()
    expect(said(page, "front is at version 1")).to_be_visible()
    preview = page.locator(".is-numbered li")
    expect(preview).to_have_count(4)
    expect(preview.first).to_contain_text("pinned")

    page.get_by_label("At most of one category").fill("1")
    page.get_by_label("Length").fill("6")
    page.get_by_label("Everything else").fill("{}")
    page.get_by_role("button", name="Save as the next version").click()
    expect(said(page, "front is at version 2")).to_be_visible()
    rules = server.ask("GET", "/v1/placements/front")["rules"]
    assert (rules["k"], rules["max_per_category"], rules["pins"]) == (6, 1, {})
    slate = server.recommend(user_id="u2", placement="front")
    expect(preview).to_have_text(titles_of(slate))

    page.get_by_label("Everything else").fill('{"pins": 3}')
    page.get_by_role("button", name="Save as the next version").click()
    expect(page.get_by_role("alert")).to_contain_text("pins")

    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Keep it").click()
    assert server.ask("GET", "/v1/placements/front")["version"] == 2
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete, and refuse who names it").click()
    expect(page.get_by_text("No placements yet")).to_be_visible()
    server.ask("GET", "/v1/placements/front", expect=404)


@pytest.fixture
def shelf(server: Server) -> Iterator[str]:
    server.ask("PUT", "/v1/placements/shelf", {"k": 5}, expect=201)
    yield "shelf"
    server.ask("DELETE", "/v1/placements/shelf", expect=204)


def test_a_slate_to_try_that_is_refused_says_so(page: Page, shelf: str) -> None:
    refuse(page, "**/v1/recommendations")
    open_panel(page, "Placements")
    page.get_by_role("button", name=shelf).click()

    expect(page.get_by_role("alert")).to_contain_text("503 Out of service")


def test_an_experiment_is_started_read_and_ended(page: Page, server: Server) -> None:
    open_panel(page, "Experiments")
    page.get_by_role("button", name="New experiment").click()
    page.get_by_label("Name", exact=True).fill("mixed-slates")
    page.get_by_label("What is compared").fill("[]]")
    page.get_by_role("button", name="Start it").click()
    expect(page.get_by_role("alert")).to_contain_text("no JSON object")
    page.get_by_label("What is compared").fill('{"arms": [{}, {"diversity": 0.3}], "effect": 0.02}')
    page.get_by_role("button", name="Start it").click()
    opened = page.get_by_role("region", name="Experiment mixed-slates")
    expect(opened).to_contain_text("diversity 0.3")
    expect(opened.locator(".arms tbody tr")).to_have_count(2)

    open_panel(page, "Slate")
    ask_for(page, "u1")
    expect(page.locator(".served")).to_contain_text("arm mixed-slates/")

    open_panel(page, "Experiments")
    page.get_by_role("button", name="mixed-slates").click()
    opened.get_by_role("button", name="End this experiment").click()
    opened.get_by_role("button", name="End it for good").click()
    expect(page.get_by_text("Everybody is served alike")).to_be_visible()
    assert server.ask("GET", "/v1/experiments")["experiments"] == []


def test_outcomes_count_what_was_served(page: Page) -> None:
    ask_for(page, "u1")
    page.get_by_role("button", name="like", exact=True).click()
    expect(said(page, "Stored")).to_be_visible()
    open_panel(page, "Outcomes")
    page.get_by_text("Hour", exact=True).click()

    expect(page.locator(".wide-table tbody tr")).to_have_count(1)
    expect(page.get_by_role("img", name="Click rate")).to_be_visible()
    page.get_by_text("By bundle", exact=True).click()
    expect(page.locator(".wide-table thead")).to_contain_text("bundle")


def test_a_rate_of_one_moment_alone_is_drawn(page: Page) -> None:
    def tell_one(told: Any) -> None:
        told["groups"] = [{**told["groups"][0], "click_rate": 0.5}]

    ask_for(page, "u1")
    change_answer(page, "**/v1/metrics/online*buckets=48*", tell_one)
    open_panel(page, "Outcomes")

    chart = page.get_by_role("img", name="Click rate")
    expect(chart).to_have_accessible_name("Click rate, %: all slates 50.0")
    assert chart.evaluate(OF_THE_ACCENT) > 10


OF_THE_ACCENT = """chart => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = "var(--accent)";
    const wanted = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
    probe.remove();
    const canvas = chart.querySelector("canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let found = 0;
    for (let at = 0; at < pixels.length; at += 4) found += wanted.every((value, of) => pixels[at + of] === value);
    return found;
}"""
"""How many of its pixels have the colour of the first line."""


def test_outcomes_over_time_that_are_refused_say_so(page: Page) -> None:
    ask_for(page, "u1")
    refuse(page, "**/v1/metrics/online*buckets=48*")
    open_panel(page, "Outcomes")

    expect(page.locator(".wide-table tbody tr")).to_have_count(1)
    expect(page.get_by_role("alert")).to_contain_text("503 Out of service")


def test_live_draws_what_metrics_count(page: Page) -> None:
    ask_for(page, "u1")
    open_panel(page, "Live")

    expect(page.locator(".facts")).to_contain_text("60")
    expect(page.get_by_role("img", name="Requests to /v1")).to_be_visible()
    expect(page.locator(".shares").filter(has_text="Mean time of a stage")).to_contain_text("retrieval")


def test_a_server_that_is_not_ready_is_said_not_to_be(page: Page) -> None:
    open_panel(page, "Live")
    expect(page.locator(".facts")).to_be_visible()
    refuse(page, "**/readyz")

    expect(page.get_by_role("alert")).to_contain_text("503 Out of service")
    expect(page.locator(".facts")).to_have_count(0)
    expect(page.locator(".pulse")).to_contain_text("not ready", timeout=10_000)


def test_what_the_server_does_not_offer_is_not_shown(page: Page) -> None:
    def offer_less(document: Any) -> None:
        for path in ("/v1/map", "/v1/bundles", "/v1/events", "/v1/items/export"):
            del document["paths"][path]
        del document["paths"]["/v1/items/{item_id}"]["put"]
        del document["paths"]["/v1/experiments"]["post"]

    change_answer(page, "**/openapi.json", offer_less)
    page.reload()
    ask_for(page, "u1")

    links = page.get_by_role("navigation").get_by_role("link")
    assert not {"Map", "Bundles"} & set(links.all_inner_texts())
    expect(page.get_by_role("button", name="like", exact=True)).to_have_count(0)
    open_panel(page, "Experiments")
    expect(page.get_by_role("button", name="New experiment")).to_have_count(0)
    open_panel(page, "Catalogue")
    expect(page.get_by_role("button", name="New item")).to_have_count(0)
    find(page, "i7")
    page.get_by_role("button", name="i7", exact=True).click()
    expect(page.get_by_label("Title")).to_have_value("short space film")


def test_what_is_said_of_a_phrase_is_kept_and_taken_back(page: Page, server: Server) -> None:
    open_panel(page, "Interests")
    page.get_by_label("User id").fill("u9")
    page.get_by_label("A phrase of their own").fill("western")
    page.locator(".own-phrase").get_by_role("button", name="never", exact=True).click()
    said = page.get_by_label("What they said")
    expect(said).to_contain_text("never western")
    assert server.ask("GET", "/v1/users/u9/interests")["edits"][0]["op"] == "never"
    left = server.recommend(user_id="u9", k=20)["items"]
    assert not [item for item in left if "western" in item["properties"]["title"]]

    said.get_by_role("button", name="Take back").click()
    expect(said).to_have_count(0)
    assert server.ask("GET", "/v1/users/u9/interests")["edits"] == []


def test_interests_are_read_as_phrases_with_their_events(page: Page, server: Server) -> None:
    open_panel(page, "Interests")
    page.get_by_label("User id").fill("u7")

    told = server.ask("GET", "/v1/users/u7/interests")["interests"]
    expect(page.locator(".interests h2")).to_have_text([interest["label"] for interest in told])
    expect(page.locator(".evidence th").first).to_contain_text("film")


def test_a_refusal_is_shown_with_what_to_do_and_its_request(page: Page) -> None:
    open_panel(page, "Interests")
    page.get_by_label("User id").fill("nobody-at-all")

    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("404 No such user")
    expect(problem).to_contain_text("/v1/events")
    expect(problem.locator("code")).not_to_be_empty()


def test_the_console_can_be_used_by_keyboard_alone(page: Page) -> None:
    ask_for(page, "u1")
    page.locator(".ranked li").nth(1).get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#why-title")).to_have_text(titles(page)[1])
    page.reload()
    expect(page.locator(".ranked")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_on_a_phone_an_item_opens_over_the_slate_and_closes_back_to_it(browser: Browser, server: Server) -> None:
    with page_at(browser, server.url, PHONE, has_touch=True) as page:
        ask_for(page, "u1")
        row = page.locator(".ranked li").nth(1).get_by_role("button")
        row.tap()
        expect(page.locator("#why-title")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("#why-title")).to_have_count(0)
        expect(row).to_be_focused()


def test_the_theme_chosen_is_kept(page: Page) -> None:
    page.get_by_role("button", name="Dark", exact=True).click()
    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 20, 18)"


def test_the_key_is_asked_for_sent_and_kept_in_the_tab(browser: Browser, tiny_bundle: Path, tmp_path: Path) -> None:
    with (
        Server(tiny_bundle, tmp_path / "var", redis_url="memory://", api_key="open-sesame") as locked,
        page_at(browser, locked.url, bypass_csp=True) as page,
    ):
        dialog = page.get_by_role("dialog", name="API key")
        expect(dialog).to_be_visible()
        assert barriers(page) == []
        dialog.get_by_label("API key").fill("open-sesame")
        dialog.get_by_role("button", name="Use it").click()
        page.get_by_text("Nobody", exact=True).click()
        expect(page.locator(".ranked")).to_be_visible()
        assert page.evaluate("JSON.stringify(localStorage)").find("sesame") < 0
