"""`app.offline.doc_blocks` and the tables it puts into pages."""

import pytest

from app.offline.doc_blocks import metrics_table, replace_block, settings_table
from app.offline.readme_figures import benchmark_table, figures_table, serving_table

PAGE = "above\n\n<!-- figures: demo -->\nold\n<!-- /figures -->\n\nbelow\n"


def test_only_what_lies_between_the_markers_is_replaced() -> None:
    page = replace_block(PAGE, "figures: demo", "| new |\n")
    assert page == "above\n\n<!-- figures: demo -->\n\n| new |\n\n<!-- /figures -->\n\nbelow\n"


def test_replacing_twice_changes_nothing_more() -> None:
    once = replace_block(PAGE, "figures: demo", r"a \1 b")
    assert replace_block(once, "figures: demo", r"a \1 b") == once


def test_a_page_without_the_block_is_refused() -> None:
    with pytest.raises(ValueError, match="<!-- settings -->"):
        replace_block(PAGE, "settings", "new")


def test_every_setting_has_a_row_with_variable_default_and_range() -> None:
    (port,) = (line for line in settings_table().splitlines() if "`port`" in line)
    cells = [cell.strip() for cell in port.strip("|").split("|")]
    assert cells[:4] == ["`port`", "`PENCHANT_PORT`", "`8000`", "whole number, 0 to 65535"]


def test_counters_are_listed_under_the_name_that_prometheus_reads() -> None:
    (requests,) = (line for line in metrics_table().splitlines() if "penchant_requests" in line)
    cells = [cell.strip() for cell in requests.strip("|").split("|")]
    assert cells[:3] == ["`penchant_requests_total`", "counter", "`route`, `method`, `status`"]


def test_figures_stand_by_ranker_and_protocol_and_say_where_they_were_measured() -> None:
    figures: dict[str, float] = {}
    for protocol, ndcg in (("loo", 0.2), ("time", 0.1)):
        for prefix, less in (("", 0.0), ("baseline.item_knn.", 0.05)):
            where = f"{prefix}ml100k.{protocol}"
            figures[f"{where}.ndcg10"] = ndcg - less
            figures[f"{where}.ndcg10.low"] = ndcg - less - 0.01
            figures[f"{where}.ndcg10.high"] = ndcg - less + 0.01
            figures[f"{where}.hr10"] = 0.3
        figures |= {f"ml100k.{protocol}.questions": 9, f"ml100k.{protocol}.known_users": 7}

    table = figures_table({"figures": figures, "command": "penchant demo", "commit": "abc", "machine": "a machine"})

    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:4]]
    assert rows[0] == ["penchant", "0.2000 [0.1900, 0.2100]", "0.3000", "0.1000 [0.0900, 0.1100]", "0.3000"]
    assert rows[1] == ["item knn", "0.1500 [0.1400, 0.1600]", "0.3000", "0.0500 [0.0400, 0.0600]", "0.3000"]
    assert "leave-one-out, 9 (7); global time split, 9 (7)" in table
    assert "`penchant demo` at commit abc on a machine" in table


ABOUT = {"command": "make it", "commit": "abc", "machine": "a machine"}


def test_the_benchmark_is_told_beside_the_best_published_figure() -> None:
    figures = {"beauty.loo.ndcg10": 0.07, "beauty.loo.ndcg10.low": 0.06, "beauty.loo.ndcg10.high": 0.08}
    table = benchmark_table({"figures": {**figures, "beauty.loo.seeds": 3}, **ABOUT})
    (row,) = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:3])
    assert row[1:] == ["0.0700 [0.0600, 0.0800]", "3", "0.0610 (BSARec, RecBoard)"]
    assert len(table.splitlines()) == 5, "what is not measured is left out"
    assert benchmark_table({"figures": {}, **ABOUT}) == "Not measured yet."


def test_what_serving_costs_is_told_in_bare_routes() -> None:
    figures = {}
    for load, cpu_ms in (("bare_fastapi_route", 0.2), ("known_user_cached", 1.0)):
        figures |= {f"serving.{load}.cpu_ms": cpu_ms, f"serving.{load}.requests_per_s": 1234.5}
    table = serving_table({"figures": figures, **ABOUT})
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:4]]
    assert rows == [["bare fastapi route", "0.20", "1.0", "1,234"], ["known user cached", "1.00", "5.0", "1,234"]]
