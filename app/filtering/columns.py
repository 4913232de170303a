"""Items' properties as columns, and the questions of the filter language put to them: each distinct value once.

A column is a list of (item, value) pairs in code, so `year >= 1990` looks at some 70 years rather than at 1,682 films,
and `has` reads a list property as the others read a single value.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from app.domain import BoolArray, DoubleArray, Item, ItemId, JsonScalar
from app.filtering.expression import Condition, Expression

EARTH_RADIUS_KM = 6_371.0
DAY_S = 86_400.0
OWN_NAMES = ("item_id", "title", "description", "categories")
"""What every item has. They hide properties of the same name."""
ADDED_AT = "added_at"
"""When an item was put, where it has no property of this name; nobody knows of one that came with the bundle."""
KNOWN_NAMES = (*OWN_NAMES, ADDED_AT)

Compare = Callable[[Any, Any], Any]
COMPARISONS: dict[str, Compare] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Column:
    """One property of n items. Null is as good as absent; a list has each of its elements, and is equal to nothing."""

    def __init__(self, properties: Sequence[Any]) -> None:
        self._n_items = len(properties)
        self._code_of: dict[tuple[bool, JsonScalar], int] = {}  # with the kind, since True == 1 in Python
        places: list[int] = []
        codes: list[int] = []
        single: list[bool] = []
        for place, told in enumerate(properties):
            is_list = isinstance(told, list | tuple)
            for value in told if is_list else (told,):
                if value is not None:
                    places.append(place)
                    codes.append(self._code_of.setdefault((isinstance(value, bool), value), len(self._code_of)))
                    single.append(not is_list)
        self.values = [value for _, value in self._code_of]
        self._places = np.array(places, dtype=np.int64)
        self._codes = np.array(codes, dtype=np.int64)
        self._single = np.array(single, dtype=np.bool_)

    def where_single(self, table: BoolArray) -> BoolArray:
        """(n,) items whose value is one of the table's (V,) True ones."""
        return self._spread(table[self._codes] & self._single)

    def where_any(self, table: BoolArray) -> BoolArray:
        """(n,) items whose value is, or whose list has, one of the table's (V,) True ones."""
        return self._spread(table[self._codes])

    def among(self, wanted: Sequence[JsonScalar]) -> BoolArray:
        """(V,) True for the values wanted."""
        table = np.zeros(len(self.values), dtype=np.bool_)
        codes = (self._code_of.get((isinstance(value, bool), value)) for value in wanted)
        table[[code for code in codes if code is not None]] = True
        return table

    def compare(self, sign: str, literal: JsonScalar) -> BoolArray:
        """(V,) values of the literal's kind for which it holds. Texts are compared by their characters' code points."""
        if sign == "=":
            return self.among([literal])
        if sign == "!=":
            same_kind = ~np.isnan(self.numbers) if _is_number(literal) else self._of_kind(type(literal))
            return same_kind & ~self.among([literal])
        if _is_number(literal):
            return _compare_known(self.numbers, sign, _as_double(literal))
        holds = COMPARISONS[sign]
        return np.array([isinstance(value, str) and holds(value, literal) for value in self.values], dtype=np.bool_)

    def texts(self, holds: Callable[[str], bool]) -> BoolArray:
        """(V,) texts, upper and lower case made alike, for which it holds."""
        return np.array([text is not None and holds(text) for text in self._folded], dtype=np.bool_)

    @cached_property
    def numbers(self) -> DoubleArray:
        """(V,) values that are numbers, NaN for others. Only past 2 to the power of 53 are whole ones rounded."""
        return np.array([_as_double(value) for value in self.values], dtype=np.float64)

    @cached_property
    def times_s(self) -> DoubleArray:
        """(V,) Unix seconds of values that are ISO dates or times, NaN for others. Without an offset: UTC."""
        return np.array([_unix_s(value) for value in self.values], dtype=np.float64)

    @cached_property
    def points(self) -> tuple[DoubleArray, DoubleArray]:
        """(n,) latitudes and longitudes in degrees of properties that are a list of two numbers, NaN for others."""
        degrees = np.full((2, self._n_items), np.nan)
        starts = np.searchsorted(self._places, np.arange(self._n_items + 1))
        two = np.flatnonzero(np.diff(starts) == 2)
        for axis in range(2):
            degrees[axis, two] = self.numbers[self._codes[starts[two] + axis]]
        return degrees[0], degrees[1]

    @cached_property
    def _folded(self) -> list[str | None]:
        return [value.casefold() if isinstance(value, str) else None for value in self.values]

    def _of_kind(self, kind: type) -> BoolArray:
        return np.array([type(value) is kind for value in self.values], dtype=np.bool_)

    def _spread(self, pairs: BoolArray) -> BoolArray:
        mask = np.zeros(self._n_items, dtype=np.bool_)
        mask[self._places[pairs]] = True
        return mask


class Columns:
    """The columns of some items, each made when it is first asked for. A thread that makes one twice does no harm."""

    def __init__(self, items: Sequence[Item], added_at: Mapping[ItemId, datetime]) -> None:
        """added_at: when an item was put, of those of which that is known. Looked up item by item, as they are asked
        for."""
        self.n_items = len(items)
        self._items = items
        self._added_at = added_at
        self._columns: dict[str, Column] = {}

    def column(self, name: str) -> Column:
        if name not in self._columns:
            self._columns[name] = Column([self._told(item, name) for item in self._items])
        return self._columns[name]

    def evaluate(self, expression: Expression, now_s: float) -> BoolArray:
        """(n_items,) True where the expression holds. now_s: Unix seconds that `now()` and `age_days` go by."""
        if isinstance(expression, Condition):
            return _KINDS[expression.kind](self.column(expression.name), now_s, *expression.operands)
        terms: Iterator[BoolArray] = (self.evaluate(term, now_s) for term in expression.terms)
        return _COMBINE[expression.operator](terms)

    def _told(self, item: Item, name: str) -> Any:
        if name in OWN_NAMES:
            return getattr(item, name)
        if name == ADDED_AT and name not in item.properties:
            at = self._added_at.get(item.item_id)
            return None if at is None else at.isoformat()
        return item.properties.get(name)


def _negate(terms: Iterator[BoolArray]) -> BoolArray:
    (term,) = terms
    return ~term


def _compare(column: Column, _now_s: float, sign: str, literal: JsonScalar) -> BoolArray:
    return column.where_single(column.compare(sign, literal))


def _compare_now(column: Column, now_s: float, sign: str) -> BoolArray:
    return column.where_single(_compare_known(column.times_s, sign, now_s))


def _age_days(column: Column, now_s: float, sign: str, days: float) -> BoolArray:
    return column.where_single(_compare_known((now_s - column.times_s) / DAY_S, sign, days))


def _among(column: Column, _now_s: float, *wanted: JsonScalar) -> BoolArray:
    return column.where_single(column.among(wanted))


def _has(column: Column, _now_s: float, wanted: JsonScalar) -> BoolArray:
    return column.where_any(column.among([wanted]))


def _contains(column: Column, _now_s: float, part: str) -> BoolArray:
    folded = part.casefold()
    return column.where_any(column.texts(lambda text: folded in text))


def _prefix(column: Column, _now_s: float, start: str) -> BoolArray:
    folded = start.casefold()
    return column.where_any(column.texts(lambda text: text.startswith(folded)))


def _exists(column: Column, _now_s: float) -> BoolArray:
    return column.where_any(np.ones(len(column.values), dtype=np.bool_))


def _geo_within(column: Column, _now_s: float, lat: float, lon: float, radius_km: float) -> BoolArray:
    """Great-circle distance by the haversine formula on a sphere: within 0.5% of the ellipsoid's."""
    lats, lons = (np.radians(degrees) for degrees in column.points)
    lat, lon = np.radians(float(lat)), np.radians(float(lon))
    with np.errstate(invalid="ignore"):  # NaN, or no finite number: no place, so within no radius
        a = np.sin((lats - lat) / 2) ** 2 + np.cos(lat) * np.cos(lats) * np.sin((lons - lon) / 2) ** 2
        mask: BoolArray = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(a, 0, 1))) <= radius_km
    return mask


_KINDS: dict[str, Callable[..., BoolArray]] = {
    "compare": _compare,
    "compare_now": _compare_now,
    "age_days": _age_days,
    "among": _among,
    "has": _has,
    "contains": _contains,
    "prefix": _prefix,
    "exists": _exists,
    "geo_within": _geo_within,
}
_COMBINE: dict[str, Callable[[Iterator[BoolArray]], BoolArray]] = {
    "and": lambda terms: np.logical_and.reduce(list(terms)),
    "or": lambda terms: np.logical_or.reduce(list(terms)),
    "not": _negate,
}


def _compare_known(values: DoubleArray, sign: str, literal: float) -> BoolArray:
    """NaN compares to nothing, not even as different."""
    table: BoolArray = COMPARISONS[sign](values, literal) & ~np.isnan(values)
    return table


def _is_number(value: JsonScalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_double(value: JsonScalar) -> float:
    if not _is_number(value):
        return np.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:  # a whole number of more than 308 digits
        return np.inf if value > 0 else -np.inf  # type: ignore[operator]


def _unix_s(value: JsonScalar) -> float:
    if not isinstance(value, str):
        return np.nan
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return np.nan
