"""An item table as it came, in our columns, its text made plain: nothing dropped, what is absent is null."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from app.domain import Item, ItemId, Properties
from app.offline.columns import ItemColumns
from app.offline.plain_text import to_plain_text, to_plain_texts
from app.offline.properties import read_properties
from app.offline.tables import Table, open_table, resolve_roles

YEAR = r"^\d{4}$"


@dataclass(frozen=True, slots=True)
class SourceItems:
    """Rows of `frame` are the rows of the source, in its order.

    frame: row (its position, also in `properties`), item_id, title, description: text or null; categories: list of
    text. columns: role -> the source's columns.
    """

    frame: pl.DataFrame
    properties: list[Properties]
    columns: dict[str, tuple[str, ...]]

    def items(self, kept: pl.DataFrame) -> tuple[Item, ...]:
        """The items of the rows of `frame` that were kept, whose ids and titles are not null."""
        return tuple(
            Item(
                item_id=ItemId(row["item_id"]),
                title=row["title"],
                categories=tuple(row["categories"]),
                description=row["description"] or "",
                properties=self.properties[row["row"]],
            )
            for row in kept.iter_rows(named=True)
        )


def read_source_items(path: Path, mapping: ItemColumns) -> SourceItems:
    """Raises DataError where the file or a required column is missing, or the file is malformed."""
    table = open_table(path)
    columns = resolve_roles(table, mapping)
    source = table.read(
        item_id=table.text(columns["item_id"]),
        title=table.text(columns["title"]),
        year=table.text(columns["year"]),
        description=table.text(columns["description"]),
        categories=_category_lists(table, columns["categories"], mapping.category_separator),
    )
    texts = source.with_columns(_plain(source[name], mapping) for name in ("title", "description"))
    texts = texts.with_columns(
        year=pl.when(pl.col("year").str.contains(YEAR)).then("year"),
        categories=pl.Series(
            [_categories(names, mapping) for names in source["categories"].to_list()], dtype=pl.List(pl.String)
        ),
    )
    properties = read_properties(table, columns["properties"], mapping.absent)
    if columns["year"]:
        years = texts["year"].cast(pl.Int64)
        properties = pl.DataFrame([*(column for column in properties if column.name != years.name), years])
    frame = texts.with_row_index("row").with_columns(title=_title_with_year()).drop("year")
    return SourceItems(frame, _without_nulls(properties, len(frame)), columns)


def _category_lists(table: Table, names: tuple[str, ...], separator: str) -> pl.Expr:
    """In each row the first of the named columns that has a value, as a list; a text is split."""
    lists = [
        pl.col(name).cast(pl.List(pl.String))
        if table.schema[name].is_nested()
        else table.text([name]).str.split(separator)
        for name in names
    ]
    return pl.coalesce(lists) if lists else pl.lit(None, pl.List(pl.String))


def _plain(texts: pl.Series, mapping: ItemColumns) -> pl.Series:
    plain = to_plain_texts(texts)
    return plain.set(plain.is_in(mapping.absent), None)


def _categories(names: list[str | None] | None, mapping: ItemColumns) -> list[str]:
    """Each category once, in the source's order."""
    plain = (to_plain_text(name) for name in names or () if name)
    return list(dict.fromkeys(name for name in plain if name and name not in mapping.absent))


def _title_with_year() -> pl.Expr:
    """ "Toy Story" of 1995 is "Toy Story (1995)", and stays so where the source has written it already."""
    suffix = pl.format(" ({})", "year")
    missing = pl.col("year").is_not_null() & ~pl.col("title").str.ends_with(suffix)
    return pl.when(missing).then(pl.col("title") + suffix).otherwise("title")


def _without_nulls(properties: pl.DataFrame, n_items: int) -> list[Properties]:
    if not properties.columns:
        return [{}] * n_items
    return [
        {name: value for name, value in row.items() if value is not None} for row in properties.iter_rows(named=True)
    ]
