from pathlib import Path

import pytest

from app.errors import DataError
from app.offline.columns import BENCHMARK, ColumnMapping, TimeUnit, get_mapping


def test_an_untold_mapping_expects_the_names_of_the_api() -> None:
    mapping = get_mapping("api")
    assert mapping.events.user_id == ("user_id",)
    assert mapping.events.at == ("at",)
    assert mapping.items.title == ("title",)


def test_a_toml_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text('[events]\nuser_id = "customer"\ncontext = ["device", "store"]\ntime_unit = "ms"\n')
    mapping = get_mapping(str(file))
    assert mapping.events.user_id == ("customer",)
    assert mapping.events.context == ("device", "store")
    assert mapping.events.time_unit is TimeUnit.MILLISECONDS
    assert mapping.items == ColumnMapping().items


def test_flags_change_a_ready_made_mapping() -> None:
    mapping = get_mapping("benchmark", ["events.user_id=customer", "items.absent=", "events.row_order_is_time=false"])
    assert mapping.events.user_id == ("customer",)
    assert mapping.items.absent == ()
    assert not mapping.events.row_order_is_time
    assert mapping.events.rating == BENCHMARK.events.rating


def test_commas_part_names_in_one_text() -> None:
    assert get_mapping("api", ["items.description=long text, short text"]).items.description == (
        "long text",
        "short text",
    )


def test_the_star_stands_for_all_other_columns() -> None:
    assert get_mapping("api", ["events.context=*"]).events.context == "*"


@pytest.mark.parametrize(
    ("source", "changes", "told"),
    [
        ("nowhere.toml", [], "movielens-100k"),
        ("api", ["events.colour=red"], "events.colour"),
        ("api", ["user_id=customer"], r"expected events\.<role>=<column>"),
        ("api", ["shop.user_id=customer"], r"expected events\.<role>=<column>"),
        ("api", ["events.time_unit=minutes"], "'auto', 'iso', 's', 'ms' or 'us'"),
        ("api", ["items.category_separator="], "at least 1 character"),
    ],
)
def test_a_wrong_mapping_says_what_may_be_said(source: str, changes: list[str], told: str) -> None:
    with pytest.raises(DataError, match=told):
        get_mapping(source, changes)


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("[events\n")
    with pytest.raises(DataError, match=r"broken\.toml is not TOML"):
        get_mapping(str(file))
