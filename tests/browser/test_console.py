"""The console as people use it: a real Chromium on the real server, by pointer and by keyboard, wide and narrow."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import DESKTOP, PHONE, barriers, open_chromium, page_at
from e2e.server import Server, item_ids
from playwright.sync_api import Browser, Page, expect
from rich.progress import Progress

from app.offline.load import load_dataset


@pytest.fixture(scope="module")
def server(tiny_bundle: Path, tiny_dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("console") / "var"
    folder.mkdir()
    asyncio.run(
        load_dataset(tiny_dataset_folder, "tiny", f"sqlite:///{folder / 'penchant.sqlite3'}", Progress(disable=True))
    )
    with Server(tiny_bundle, folder, redis_url="memory://") as running:
        yield running


@pytest.fixture(scope="module")
def browser(server: Server) -> Iterator[Browser]:
    """After the server: while Playwright runs, this thread has an event loop, and `asyncio.run` wants its own."""
    with open_chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with page_at(browser, server.url) as opened:
        yield opened


def open_panel(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def ask_for(page: Page, user_id: str) -> None:
    page.get_by_label("User id").fill(user_id)
    expect(page.locator(".answer[aria-busy=false] .ranked")).to_be_visible()


def titles(page: Page) -> list[str]:
    return page.locator(".ranked .item-title").all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_panel_has_a_barrier_or_scrolls_sideways(
    browser: Browser, server: Server, size: dict[str, int], scheme: str
) -> None:
    with page_at(browser, server.url, size, color_scheme=scheme, bypass_csp=True) as page:
        ask_for(page, "u1")
        panels = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
        assert {"Slate", "Interests", "Map", "Catalogue", "Bundles", "Live"} <= set(panels)
        for panel in panels:
            open_panel(page, panel)
            page.wait_for_timeout(600 if panel != "Live" else 4_500)  # answers arrive, charts have two samples
            assert (panel, barriers(page)) == (panel, [])
            width = page.evaluate("document.documentElement.scrollWidth")
            assert (panel, width) == (panel, size["width"])


def test_a_users_slate_is_the_one_the_api_gives(page: Page, server: Server) -> None:
    ask_for(page, "u1")

    slate = server.recommend(user_id="u1", k=10)
    assert titles(page) == [item["properties"]["title"] for item in slate["items"]]
    expect(page.locator(".rung")).to_contain_text(slate["served_by"]["rung"])


def test_the_parts_shown_sum_to_the_score_shown(page: Page) -> None:
    ask_for(page, "u2")
    page.locator(".ranked li").nth(2).get_by_role("button").click()

    parts = page.locator(".parts-sum tbody .num").all_inner_texts()
    score = page.locator(".parts-sum tfoot .num").inner_text()
    assert sum(number(part) for part in parts) == pytest.approx(number(score), abs=0.005 * (len(parts) + 1))
    assert score == page.locator(".ranked li").nth(2).locator(".num").inner_text()


def number(shown: str) -> float:
    return float(shown.replace("\u2212", "-"))


def test_changing_the_moment_moves_the_ranks_and_says_by_how_much(page: Page) -> None:
    ask_for(page, "u3")
    before = titles(page)
    page.get_by_label("Hour, UTC").fill("20")
    page.get_by_text("Sat", exact=True).click()
    expect(page.get_by_role("button", name="back to now")).to_be_visible()
    expect(page.locator(".answer[aria-busy=false] .ranked")).to_be_visible()
    page.get_by_label("Length").fill("20")
    expect(page.locator(".ranked li")).to_have_count(20)

    assert page.locator(".moved.is-new").count() >= 20 - len(before)


def test_a_stranger_by_words_gets_what_they_say(page: Page) -> None:
    page.get_by_text("Words", exact=True).click()
    expect(page.get_by_text("Who is asking?")).to_be_visible()
    page.get_by_label("What they want").fill("quiet space film")

    expect(page.locator(".ranked")).to_be_visible()
    assert "quiet space film" in titles(page)


def test_a_history_picked_from_the_catalogue_by_keyboard_is_answered_and_left_out_event_by_event(page: Page) -> None:
    page.get_by_text("History", exact=True).click()
    search = page.get_by_role("combobox", name="What they did")
    for title in ("red space film", "dark crime film"):
        search.press_sequentially(title)
        expect(page.get_by_role("option", name=title)).to_be_visible()
        search.press("Enter")
    expect(page.locator(".history li")).to_have_count(2)

    rows = page.locator(".without tbody tr")
    expect(rows.first).to_be_visible()
    assert set(rows.locator("th").all_inner_texts()) <= {"red space film", "dark crime film"}
    assert not set(titles(page)) & {"red space film", "dark crime film"}


def test_an_event_sent_changes_the_slate(page: Page, server: Server) -> None:
    ask_for(page, "u4")
    before = titles(page)
    page.locator(".ranked li").first.get_by_role("button").click()
    page.get_by_role("button", name="like", exact=True).click()

    expect(page.get_by_role("status").filter(has_text="Stored")).to_be_visible()
    expect(page.locator(".ranked .item-title").first).not_to_have_text(before[0])
    assert before[0] not in titles(page)
    assert item_ids(server.recommend(user_id="u4", k=3))


def test_an_item_left_out_stays_out_until_it_is_let_in_again(page: Page) -> None:
    ask_for(page, "u5")
    first = titles(page)[0]
    page.get_by_role("button", name="leave out").click()
    expect(page.locator(".ranked .item-title").first).not_to_have_text(first)

    page.get_by_role("button", name=f"Remove {first}").click()
    expect(page.locator(".ranked .item-title").first).to_have_text(first)


def test_evidence_is_measured_when_it_is_asked_for(page: Page) -> None:
    ask_for(page, "u8")
    page.get_by_role("switch", name="Measure evidence").check()

    expect(page.locator(".reasons li.is-event").first).to_be_visible()


def test_why_tells_the_rank_that_the_api_tells(page: Page, server: Server) -> None:
    ask_for(page, "u1")
    with page.expect_response("**/explanation") as asked:
        page.locator(".ranked li").nth(1).get_by_role("button").click()
    told = asked.value.json()

    expect(page.locator(".why .told").first).to_contain_text(told["text"])
    for row, without in zip(page.locator(".without tbody tr").all(), told["evidence"], strict=True):
        expect(row).to_contain_text(f"{told['rank']} \u2192 {without['rank']}")


def test_what_is_not_in_the_slate_is_told_why_and_brought_in_by_what_is_tried(page: Page, server: Server) -> None:
    ask_for(page, "u1")
    page.get_by_label("Length").fill("3")
    expect(page.locator(".answer[aria-busy=false] .ranked li")).to_have_count(3)
    fourth = server.recommend(user_id="u1", k=4)["items"][3]["properties"]["title"]
    page.get_by_role("button", name="leave out").click()
    first = page.locator(".chip span").inner_text()
    expect(page.get_by_role("button", name=f"Remove {first}")).to_be_visible()
    expect(page.locator(".ranked .item-title").nth(2)).to_have_text(fourth)

    search = page.get_by_role("combobox", name="Why is something not here?")
    search.fill(first)
    search.press("Enter")
    expect(page.locator("#why-title")).to_have_text(first)
    expect(page.locator(".why .told").first).to_contain_text("the request excludes it")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".ranked .item-title").first).to_have_text(first)
    expect(page.locator(".why")).to_contain_text("Why number 1")


def test_a_sentence_steers_by_as_much_as_is_said(page: Page, server: Server) -> None:
    ask_for(page, "u6")
    page.get_by_label("Steer it, this once").fill("western")
    page.get_by_label("How much of it").fill("1")
    expect(page.locator(".answer[aria-busy=false] .ranked")).to_be_visible()

    steered = server.recommend(user_id="u6", k=10, steer="western", steer_weight=1.0)["items"]
    expect(page.locator(".ranked .item-title")).to_have_text([item["properties"]["title"] for item in steered])


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


def test_a_server_that_is_away_is_said_to_be_away(page: Page) -> None:
    ask_for(page, "u1")
    page.route("**/v1/**", lambda route: route.abort())
    page.get_by_label("User id").fill("u2")
    expect(page.get_by_role("alert")).to_contain_text("does not answer")

    page.unroute("**/v1/**")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".ranked")).to_be_visible()


def test_a_degraded_answer_is_labelled(page: Page) -> None:
    def degrade(route: Any) -> None:
        answer = route.fetch()
        slate = answer.json()
        slate["served_by"].update(rung="stale", degraded=["interest_cache_unavailable"])
        route.fulfill(response=answer, json=slate)

    page.route("**/v1/recommendations", degrade)
    ask_for(page, "u1")

    expect(page.locator(".degraded")).to_contain_text("The interest cache is away")
    expect(page.locator(".rung")).to_contain_text("stale")


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


def test_an_item_is_written_found_changed_and_deleted(page: Page, server: Server) -> None:
    open_panel(page, "Catalogue")
    page.get_by_role("button", name="New item").click()
    page.get_by_label("Item id").fill("night-train")
    page.get_by_label("Title").fill("quiet new romance film")
    page.get_by_label("Categories").fill("romance, night")
    page.get_by_label("Properties").fill('{"year": 2024}')
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("status").filter(has_text="is written")).to_be_visible()
    assert server.ask("GET", "/v1/items/night-train")["properties"] == {"year": 2024}

    page.get_by_label("Properties").fill("{year}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("no JSON object")

    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete it for good").click()
    expect(page.get_by_role("status").filter(has_text="is deleted")).to_be_visible()
    server.ask("GET", "/v1/items/night-train", expect=404)


def test_a_bundle_is_verified_from_the_page(page: Page, server: Server) -> None:
    open_panel(page, "Bundles")
    (bundle,) = server.ask("GET", "/v1/bundles")["bundles"]
    expect(page.get_by_role("region", name=f"Bundle {bundle['version']}")).to_contain_text(bundle["dataset"])
    expect(page.get_by_role("button", name="Let it answer")).to_have_count(0)

    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("status").filter(has_text="is whole")).to_be_visible()


def test_what_the_server_does_not_offer_is_not_shown(page: Page) -> None:
    def offer_less(route: Any) -> None:
        answer = route.fetch()
        document = answer.json()
        for path in ("/v1/map", "/v1/bundles", "/v1/events"):
            del document["paths"][path]
        del document["paths"]["/v1/items/{item_id}"]["put"]
        route.fulfill(response=answer, json=document)

    page.route("**/openapi.json", offer_less)
    page.reload()
    ask_for(page, "u1")

    links = page.get_by_role("navigation").get_by_role("link")
    assert not {"Map", "Bundles"} & set(links.all_inner_texts())
    expect(page.get_by_role("button", name="like", exact=True)).to_have_count(0)
    open_panel(page, "Catalogue")
    expect(page.get_by_role("button", name="New item")).to_have_count(0)


def test_live_draws_what_metrics_count(page: Page) -> None:
    ask_for(page, "u1")
    open_panel(page, "Live")

    expect(page.locator(".facts")).to_contain_text("60")
    expect(page.get_by_role("img", name="Requests to /v1")).to_be_visible()
    expect(page.locator(".shares").filter(has_text="Mean time of a stage")).to_contain_text("retrieval")


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
    page.get_by_role("button", name="Dark").click()
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


def test_an_experiment_is_started_read_and_ended(page: Page, server: Server) -> None:
    open_panel(page, "Experiments")
    page.get_by_role("button", name="New experiment").click()
    page.get_by_label("Name", exact=True).fill("mixed-slates")
    page.get_by_role("button", name="Start it").click()
    opened = page.get_by_role("region", name="Experiment mixed-slates")
    expect(opened).to_contain_text("diversity 0.3")
    expect(opened.locator(".arms tbody tr")).to_have_count(2)

    opened.get_by_role("button", name="End this experiment").click()
    opened.get_by_role("button", name="End it for good").click()
    expect(page.get_by_text("Everybody is served alike")).to_be_visible()
    assert server.ask("GET", "/v1/experiments")["experiments"] == []


def test_outcomes_count_what_was_served(page: Page) -> None:
    ask_for(page, "u1")
    page.get_by_role("button", name="like", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Stored")).to_be_visible()
    open_panel(page, "Outcomes")
    page.get_by_text("Hour", exact=True).click()

    expect(page.locator(".wide-table tbody tr")).to_have_count(1)
    expect(page.get_by_role("img", name="Click rate")).to_be_visible()
    page.get_by_text("By bundle", exact=True).click()
    expect(page.locator(".wide-table thead")).to_contain_text("bundle")
