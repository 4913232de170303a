"""The page that maps others' calls to ours names no route and no field that is not there."""

import re

from app.main import create_app
from app.offline.report import REPOSITORY
from app.settings import Settings

PAGE = REPOSITORY / "docs/guide/coming-from.md"
ROUTE = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/v1/[^`\s]+)`")


def nameless(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_every_route_of_ours_on_the_page_exists() -> None:
    paths = create_app(Settings()).openapi()["paths"]
    ours = {(method.upper(), nameless(path)) for path, operations in paths.items() for method in operations}
    named = {(method, nameless(path)) for method, path in ROUTE.findall(PAGE.read_text(encoding="utf-8"))}
    assert len(named) > 10
    assert named - ours == set()


def test_the_fields_of_a_request_on_the_page_exist() -> None:
    document = create_app(Settings()).openapi()
    fields = document["components"]["schemas"]["RecommendationRequest"]["properties"]
    told = re.findall(r"((?:`\w+`, )*`\w+`) of `POST /v1/recommendations`", PAGE.read_text(encoding="utf-8"))
    named = {name for group in told for name in re.findall(r"`(\w+)`", group)}
    assert named
    assert named <= fields.keys()
