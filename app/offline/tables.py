"""Anybody's table as a frame: CSV, TSV, RecBole's atomic files, JSON lines (all also as .gz), Parquet."""

import glob
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from app.errors import DataError
from app.offline.columns import REST, TableColumns

NOT_READ = "(not read)"

_scan_text = partial(pl.scan_csv, infer_schema=False, glob=False)
_scan_tabs = partial(_scan_text, separator="\t", quote_char=None)
_scan_parquet = partial(pl.scan_parquet, glob=False)


def _scan_json(path: Path) -> pl.LazyFrame:
    # Types come from all lines, since a field may first appear in the last. The reader takes every path for a pattern.
    return pl.scan_ndjson(glob.escape(str(path)), infer_schema_length=None)


SCANNERS: dict[str, Callable[[Path], pl.LazyFrame]] = {
    ".csv": _scan_text,
    ".tsv": _scan_tabs,
    ".inter": _scan_tabs,
    ".item": _scan_tabs,
    ".user": _scan_tabs,
    ".jsonl": _scan_json,
    ".ndjson": _scan_json,
    ".parquet": _scan_parquet,
}
"""Text tables give text columns: nothing is guessed, so "NA" stays "NA" and "007" stays "007"; an empty field is null.
In CSV a double quote quotes; tab-separated files have no quoting."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table about to be read. schema: its columns and their types. is_typed: False where all of them came as text."""

    path: Path
    frame: pl.LazyFrame
    schema: pl.Schema
    is_typed: bool

    def text(self, names: Iterable[str]) -> pl.Expr:
        """In each row the first of the named columns that has a value, as text; null if none has. See `as_text`."""
        texts = [as_text(name, self.schema[name]) for name in names]
        return pl.coalesce(texts) if texts else pl.lit(None, pl.String)

    def read(self, *columns: str | pl.Expr, **named: pl.Expr) -> pl.DataFrame:
        """Read these columns. Raises DataError with the reader's words where the file is malformed."""
        with _malformed(self.path):
            return self.frame.select(*columns, **named).collect()


def open_table(path: Path) -> Table:
    """The table at `path`. Raises DataError where it is missing, empty or of a form we do not read."""
    if not path.is_file():
        raise DataError(f"no table at {path}: give the path of a file")
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    scan = SCANNERS.get(suffix.lower())
    if scan is None:
        raise DataError(f"{path.name} is of no form we read: expected a name ending in {', '.join(SCANNERS)}, or .gz")
    with _malformed(path):
        frame = scan(path)
        return Table(path, frame, frame.collect_schema(), scan in (_scan_json, _scan_parquet))


def resolve_roles(table: Table, columns: TableColumns) -> dict[str, tuple[str, ...]]:
    """Role -> the columns of the table that serve it, in the mapping's order; NOT_READ -> the columns left over.

    Raises DataError where a required role finds no column, or a named context feature or property does not exist.
    """
    wanted: dict[str, Any] = {role: getattr(columns, role) for role in columns.roles}
    open_names = wanted.pop(columns.open_role)
    found = {role: tuple(name for name in names if name in table.schema) for role, names in wanted.items()}
    for role in columns.required:
        if not found[role]:
            raise _no_column(table, role, wanted[role])
    taken = {name for names in found.values() for name in names}
    rest = _resolve_open(open_names, [name for name in table.schema if name not in taken])
    if missing := [name for name in rest if name not in table.schema]:
        raise _no_column(table, columns.open_role, missing)
    left_over = tuple(name for name in table.schema if name not in {*taken, *rest})
    return {**found, columns.open_role: rest, NOT_READ: left_over}


def _resolve_open(names: Iterable[str], untaken: Sequence[str]) -> tuple[str, ...]:
    """The columns named, each once; a star at the end stands for those of the untaken that begin so."""
    found = (
        [column for column in untaken if column.startswith(name.removesuffix(REST))] if name.endswith(REST) else [name]
        for name in names
    )
    return tuple(dict.fromkeys(itertools.chain.from_iterable(found)))


def as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column as text without outer blanks; "" is null. Whole floats lose ".0": ids turn into 12.0 beside gaps."""
    column = pl.col(name)
    if dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        column = pl.when(column == whole).then(whole.cast(pl.String)).otherwise(column.cast(pl.String))
    text = column.cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text).alias(name)


def _no_column(table: Table, role: str, names: Iterable[str]) -> DataError:
    wanted = " or ".join(names) or "(none is named)"
    advice = ", or set events.row_order_is_time if it has no times" if role == "at" else ""
    return DataError(
        f"{table.path.name} has no column {wanted} for {role}; it has {', '.join(table.schema)}: "
        f"say in the column mapping which is {role}{advice}"
    )


@contextmanager
def _malformed(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as malformed:
        reason = str(malformed).strip().splitlines()[0]
        raise DataError(f"{path.name} cannot be read: {reason}") from malformed
