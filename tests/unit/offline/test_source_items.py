from pathlib import Path

import pytest

from app.errors import DataError
from app.offline.columns import ItemColumns
from app.offline.source_items import SourceItems, read_source_items


def read_csv(folder: Path, text: str, mapping: ItemColumns) -> SourceItems:
    (folder / "items.csv").write_text(text)
    return read_source_items(folder / "items.csv", mapping)


@pytest.mark.parametrize(
    ("title", "year", "expected", "properties"),
    [
        ("Toy Story", "1995", "Toy Story (1995)", {"year": 1995}),
        ("Toy Story (1995)", "1995", "Toy Story (1995)", {"year": 1995}),
        ("Toy Story", "V", "Toy Story", {}),
        ("Toy Story", "", "Toy Story", {}),
        ("", "1995", None, {"year": 1995}),
        ("unkonwn", "1995", None, {"year": 1995}),
    ],
)
def test_the_year_follows_the_title_and_is_a_property(
    tmp_path: Path, title: str, year: str, expected: str | None, properties: dict[str, object]
) -> None:
    mapping = ItemColumns(year=("year",), absent=("unkonwn",))
    source = read_csv(tmp_path, f"item_id,title,year\n1,{title},{year}\n", mapping)
    assert source.frame["title"].to_list() == [expected]
    assert source.properties == [properties]


def test_categories_are_parted_cleaned_and_each_told_once(tmp_path: Path) -> None:
    text = "item_id,title,genre\n1,A,Comedy| Sci-Fi |Comedy|unknown||R&amp;B\n2,B,\n"
    source = read_csv(tmp_path, text, ItemColumns(categories=("genre",), absent=("unknown",)))
    assert source.frame["categories"].to_list() == [["Comedy", "Sci-Fi", "R&B"], []]


def test_categories_that_are_a_list_need_no_separator(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text(
        '{"item_id": 1, "title": "A", "categories": ["x|y", null]}\n{"item_id": 2, "title": "B"}\n'
    )
    source = read_source_items(tmp_path / "items.jsonl", ItemColumns())
    assert source.frame["categories"].to_list() == [["x|y"], []]


def test_the_first_description_with_a_value_is_taken(tmp_path: Path) -> None:
    text = "item_id,title,long,short\n1,A,all of it,some\n2,B,,some\n3,C,,\n"
    source = read_csv(tmp_path, text, ItemColumns(description=("long", "short")))
    assert source.frame["description"].to_list() == ["all of it", "some", None]


def test_other_columns_are_properties(tmp_path: Path) -> None:
    source = read_csv(tmp_path, "item_id,title,price,brand\n1,A,9.5,\n2,B,,X\n", ItemColumns())
    assert source.properties == [{"price": 9.5}, {"brand": "X"}]
    assert source.columns["properties"] == ("price", "brand")


def test_only_named_properties_are_kept_where_some_are_named(tmp_path: Path) -> None:
    source = read_csv(tmp_path, "item_id,title,price,brand\n1,A,9.5,X\n", ItemColumns(properties=("brand",)))
    assert source.properties == [{"brand": "X"}]


def test_items_are_made_of_the_rows_that_were_kept(tmp_path: Path) -> None:
    source = read_csv(tmp_path, "item_id,title,price\n1,A,1\n2,B,2\n3,C,3\n", ItemColumns())
    kept = source.items(source.frame.filter(source.frame["item_id"] != "2"))
    assert [(item.item_id, item.title, item.properties) for item in kept] == [
        ("1", "A", {"price": 1}),
        ("3", "C", {"price": 3}),
    ]


def test_an_export_of_the_api_is_read_without_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text(
        '{"item_id": "a", "title": "A", "categories": ["x"], "description": "d", "properties": {"year": 1995}}\n'
    )
    (item,) = (source := read_source_items(tmp_path / "items.jsonl", ItemColumns())).items(source.frame)
    assert (item.title, item.categories, item.description, item.properties) == ("A", ("x",), "d", {"year": 1995})


def test_a_table_without_titles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no column title for title; it has item_id, name"):
        read_csv(tmp_path, "item_id,name\n1,A\n", ItemColumns())
