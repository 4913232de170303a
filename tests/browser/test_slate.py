"""The slate and who asks for it, by pointer and by keyboard: what is shown is what the API answers."""

from typing import Any

import pytest
from clicks import ask_for, change_answer, hold, newest, refuse, said, titles, titles_of, wait_for_slate
from e2e.server import Server, item_ids
from playwright.sync_api import Page, expect


def test_changing_the_moment_moves_the_ranks_and_says_by_how_much(page: Page, server: Server) -> None:
    ask_for(page, "u1")
    page.get_by_text("Sat", exact=True).click()
    page.get_by_label("Hour, UTC").fill("1")  # not one of those below, whatever the hour is
    contexts = [ask_at_hour(page, server, hour)[1]["context"] for hour in (20, 4)]
    user_id = whose_ranks_move(server, contexts)
    with page.expect_response("**/v1/recommendations"):
        page.get_by_label("User id").fill(user_id)
    ask_at_hour(page, server, 1)
    before, _ = ask_at_hour(page, server, 4)
    after, _ = ask_at_hour(page, server, 20)

    for row, title in zip(page.locator(".ranked li").all(), after, strict=True):
        rise = before.index(title) - after.index(title) if title in before else None
        shown = "new" if rise is None else f"\u2191{rise}" if rise > 0 else f"\u2193{-rise}" if rise < 0 else ""
        expect(row.locator(".moved > :first-child, .moved.is-new")).to_have_text([shown] if shown else [])
    assert page.locator(".moved.is-up").count() > 0
    assert page.locator(".moved.is-down").count() > 0


def whose_ranks_move(server: Server, contexts: list[Any]) -> str:
    """A user for whom one item stands higher in the first context than in the second, and another one lower."""
    for user_id in (f"u{n}" for n in range(40)):
        after, before = (item_ids(server.recommend(user_id=user_id, k=10, context=context)) for context in contexts)
        rises = [before.index(item) - after.index(item) for item in after if item in before]
        if min(rises) < 0 < max(rises):
            return user_id
    raise AssertionError("the context moves nobody's ranks")


def ask_at_hour(page: Page, server: Server, hour: int) -> tuple[list[str], Any]:
    """The titles that the page shows after the hour was set, found to be those of the API; and what the page asked."""
    with page.expect_request(lambda asked: f"T{hour:02}:00" in (asked.post_data or "")) as sent:
        page.get_by_label("Hour, UTC").fill(str(hour))
    request = sent.value.post_data_json
    told = titles_of(server.recommend(**request))
    expect(page.locator(".ranked .item-title")).to_have_text(told)
    return told, request


def test_a_feature_of_the_moment_is_sent_and_taken_away_again(page: Page, server: Server) -> None:
    ask_for(page, "u3")
    page.get_by_label("Feature name").fill("device")
    page.get_by_label("Feature value").fill("tv")
    with page.expect_request("**/v1/recommendations") as sent:
        page.get_by_role("button", name="Add", exact=True).click()
    assert sent.value.post_data_json["context"] == {"device": "tv"}
    expect(page.locator(".ranked .item-title")).to_have_text(titles_of(server.recommend(**sent.value.post_data_json)))

    with page.expect_request("**/v1/recommendations") as sent:
        page.get_by_role("button", name="Remove feature device").click()
    assert "context" not in sent.value.post_data_json


def test_a_users_slate_is_the_one_the_api_gives(page: Page, server: Server) -> None:
    server.recommend(user_id="u1", k=1)  # from here on their interests are cached
    ask_for(page, "u1")

    slate = server.recommend(user_id="u1", k=10)
    assert titles(page) == titles_of(slate)
    expect(page.locator(".rung")).to_contain_text(slate["served_by"]["rung"])


def test_the_parts_shown_sum_to_the_score_shown(page: Page) -> None:
    ask_for(page, "u2")
    page.locator(".ranked li").nth(2).get_by_role("button").click()

    parts = page.locator(".parts-sum tbody .num").all_inner_texts()
    score = page.locator(".parts-sum tfoot .num").inner_text()
    assert sum(number(part) for part in parts) == pytest.approx(number(score), abs=0.005 * (len(parts) + 1))
    assert score == page.locator(".ranked li").nth(2).locator(".num").inner_text()


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
    wait_for_slate(page)

    steered = server.recommend(user_id="u6", k=10, steer="western", steer_weight=1.0)["items"]
    expect(page.locator(".ranked .item-title")).to_have_text([item["properties"]["title"] for item in steered])


def test_an_answer_on_its_way_is_said_to_be(page: Page) -> None:
    wait_for_slate(page)
    waiting = hold(page, "**/v1/recommendations")
    page.reload()  # so that no slate is there yet
    expect(said(page, "Loading the slate")).to_be_attached()
    newest(page, waiting).continue_()
    expect(page.locator(".ranked")).to_be_visible()

    page.get_by_label("User id").fill("u2")
    expect(page.locator(".answer.is-busy .ranked")).to_be_visible()


def test_what_an_answer_had_to_do_without_is_said(page: Page) -> None:
    def degrade(slate: Any) -> None:
        lost = ["interest_cache_unavailable", "encoder_overloaded", "deadline", "source_trending_failed", "new_trouble"]
        slate["served_by"].update(rung="stale", degraded=lost)

    change_answer(page, "**/v1/recommendations", degrade)
    ask_for(page, "u1")

    told = page.locator(".degraded")
    for sentence in ("The interest cache is away", "The time for this answer ran out", "The source trending failed"):
        expect(told).to_contain_text(sentence)
    expect(told).to_contain_text("new trouble")
    expect(told).not_to_contain_text("popular")
    expect(page.locator(".rung")).to_have_text("stale interests older than the history")


def test_a_slate_that_is_shorter_than_asked_says_why(page: Page, server: Server) -> None:
    ask_for(page, "u1")
    page.get_by_label("Only where").fill("year = 1990")

    left = server.recommend(user_id="u1", k=10, filter="year = 1990")
    assert left["served_by"]["warnings"] == ["few_eligible"]
    expect(page.locator(".ranked .item-title")).to_have_text(titles_of(left))
    expect(page.locator(".shorter")).to_contain_text("no more items may be shown")


def test_what_put_an_item_at_its_place_besides_its_score_is_shown(page: Page, server: Server) -> None:
    server.ask("PUT", "/v1/items/paid", {"title": "loud paid film", "properties": {"sponsored": True}}, expect=201)
    rules = {"k": 10, "pins": {"1": "i5"}, "exploration": 1.0, "sponsored": {"share": 0.2, "label": "Advertisement"}}
    server.ask("PUT", "/v1/placements/window", rules, expect=201)
    page.reload()
    page.get_by_text("Nobody", exact=True).click()
    page.get_by_label("Placement").select_option("window")
    expect(page.locator(".ranked .item-title").first).to_have_text("new space film")  # i5

    rows = page.locator(".ranked li")
    expect(rows.first.locator(".badge")).to_have_text("pinned")
    expect(rows.filter(has_text="loud paid film").locator(".badge")).to_have_text("Advertisement")
    drawn = rows.filter(has=page.get_by_text("explored", exact=True)).first
    drawn.get_by_role("button").click()
    expect(page.locator(".why")).to_contain_text("chance put it here, with a probability of 0.")

    server.ask("DELETE", "/v1/placements/window", expect=204)
    server.ask("DELETE", "/v1/items/paid", expect=204)
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("window")
    page.get_by_label("Placement").select_option("none")
    expect(page.locator(".ranked")).to_be_visible()


def test_items_close_to_one_are_those_of_the_api_or_the_refusal(page: Page, server: Server) -> None:
    ask_for(page, "u1")
    first = server.recommend(user_id="u1", k=1)["items"][0]["item_id"]
    close = titles_of(server.ask("GET", f"/v1/items/{first}/similar?k=5"))
    expect(page.locator(".similar li")).to_have_text(close)

    refuse(page, "**/similar*")
    page.locator(".ranked li").nth(1).get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("503 Out of service")


def test_a_title_is_looked_for_again_once_the_catalogue_can_be_read(page: Page) -> None:
    page.route("**/v1/items/export", lambda route: route.abort())
    page.reload()
    ask_for(page, "u1")
    search = page.get_by_role("combobox", name="Leave out")
    search.fill("dark")
    expect(said(page, "The catalogue could not be read")).to_be_visible()

    page.unroute("**/v1/items/export")
    search.blur()
    search.focus()
    search.fill("dark crime")
    expect(page.get_by_role("option", name="dark crime film")).to_be_visible()


def test_a_server_that_is_away_is_said_to_be_away(page: Page) -> None:
    ask_for(page, "u1")
    page.route("**/v1/**", lambda route: route.abort())
    page.get_by_label("User id").fill("u2")
    expect(page.get_by_role("region", name="The slate").get_by_role("alert")).to_contain_text("does not answer")

    page.unroute("**/v1/**")
    page.get_by_role("region", name="The slate").get_by_role("button", name="Ask again").click()
    expect(page.locator(".ranked")).to_be_visible()


def number(shown: str) -> float:
    return float(shown.replace("\u2212", "-"))
