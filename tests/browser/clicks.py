"""What tests of the console do over and over."""

import json
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect


def open_panel(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def ask_for(page: Page, user_id: str) -> None:
    page.get_by_label("User id").fill(user_id)
    wait_for_slate(page)


def wait_for_slate(page: Page) -> None:
    expect(page.locator(".answer[aria-busy=false] .ranked")).to_be_visible()


def titles(page: Page) -> list[str]:
    return page.locator(".ranked .item-title").all_inner_texts()


def titles_of(slate: Any) -> list[str]:
    return [item["properties"]["title"] for item in slate["items"]]


def said(page: Page, text: str) -> Locator:
    """What the page says of itself in passing: toasts, counts."""
    return page.get_by_role("status").filter(has_text=text)


def refuse(page: Page, path: str) -> None:
    """From now on every request to the path is refused with a problem."""
    problem = {"title": "Out of service", "status": 503, "detail": "Ask again later.", "request_id": "r-1"}
    page.route(path, lambda route: route.fulfill(status=503, json=problem))


def hold(page: Page, path: str) -> list[Route]:
    """From now on requests to the path wait in the list; `continue_` lets one go on."""
    waiting: list[Route] = []
    page.route(path, lambda route: waiting.append(route))
    return waiting


def newest(page: Page, waiting: list[Route]) -> Route:
    """The last of what `hold` holds, once there is one."""
    while not waiting:
        page.wait_for_timeout(20)
    return waiting[-1]


def change_answer(page: Page, path: str, change: Any) -> None:
    """change: called with every answer of the path, to alter it in place."""

    def alter(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        change(told)
        route.fulfill(response=answer, body=json.dumps(told))

    page.route(path, alter)
