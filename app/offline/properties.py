"""An item's other columns as values of JSON, one type a column."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import polars as pl

from app.errors import DataError
from app.offline.plain_text import to_plain_texts
from app.offline.tables import Table


def read_properties(table: Table, names: Sequence[str], absent: Sequence[str]) -> pl.DataFrame:
    """The named columns as text, number, bool or a list of such, null where absent; no columns where none is named.

    A record (a struct in JSON or Parquet) gives a column for each of its fields. In a text table a column becomes
    numbers where each of its values, written again, reads the same: "007" and "1.10" keep their column text; and truth
    values where it holds nothing but "true" and "false".
    Raises DataError where a column is nested deeper or holds what JSON cannot.
    """
    columns = _unpack(table.read(*names), table.path) if names else pl.DataFrame()
    return columns.with_columns(_to_json_values(column, table, absent) for column in columns)


def _unpack(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    records = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Struct)]
    try:
        return frame.unnest(records)
    except pl.exceptions.DuplicateError as clash:
        raise DataError(f"{path.name}: a field of {' or '.join(records)} has the name of another column") from clash


def _to_json_values(column: pl.Series, table: Table, absent: Sequence[str]) -> pl.Series:
    if not isinstance(column.dtype, pl.List):
        return _to_json_scalars(column, table, absent)
    scalars = _to_json_scalars(column.explode(empty_as_null=False, keep_nulls=False), table, absent)
    values = iter(scalars)
    rows = [list(islice(values, length)) or None for length in column.list.len().fill_null(0)]
    return pl.Series(column.name, rows, pl.List(scalars.dtype))


def _to_json_scalars(column: pl.Series, table: Table, absent: Sequence[str]) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        plain = to_plain_texts(column.cast(pl.String))
        texts = plain.set(plain.is_in(absent), None)
        return texts if table.is_typed else _typed_if_same(texts)
    if dtype.is_float() or dtype.is_decimal():
        numbers = column.cast(pl.Float64)
        return numbers.set(~numbers.is_finite(), None)
    if dtype.is_temporal():
        return column.dt.to_string("iso:strict")
    if dtype.is_integer() or isinstance(dtype, pl.Boolean | pl.Null):
        return column
    raise DataError(
        f"{table.path.name}: column {column.name} ({dtype}) cannot be a property: flatten it, or name the wanted "
        "columns in items.properties"
    )


def _typed_if_same(texts: pl.Series) -> pl.Series:
    told = texts.drop_nulls()
    if len(told) and told.is_in(["true", "false"]).all():
        return texts == "true"
    for dtype in (pl.Int64, pl.Float64):
        numbers = texts.cast(dtype, strict=False)
        again = numbers.cast(pl.String).str.strip_suffix(".0")
        if again.eq_missing(texts.str.strip_suffix(".0")).all() and numbers.is_finite().all():
            return numbers
    return texts
