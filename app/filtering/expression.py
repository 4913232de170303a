"""The filter language: text to an expression, and to an error that points at the character where it stops making sense.

The grammar is `grammar.lark`; docs/guide/asking.md tells it to people. Parsing needs no recursion, and an expression is
at most MAX_DEPTH deep, so no text can exhaust the stack.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Never, cast

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import UnexpectedToken

from app.domain import JsonScalar
from app.errors import InvalidFilter

MAX_LENGTH = 2_000
"""Characters. The longest parse takes some 7 ms, a usual one of 50 characters 0.2 ms; and each is kept."""
MAX_DEPTH = 30
EXCERPT = 20
"""Characters shown on either side of a mistake."""

AVAILABLE_FROM, AVAILABLE_UNTIL = "available_from", "available_until"
"""The properties that `available()` reads."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One question about one property: what `app.filtering.columns` can answer. kind: the grammar's name of it."""

    kind: str
    name: str
    operands: tuple[JsonScalar, ...] = ()


@dataclass(frozen=True, slots=True)
class Compound:
    """operator: "and", "or", or "not" with one term. depth: of the deepest condition below it."""

    operator: str
    terms: "tuple[Expression, ...]"
    depth: int


Expression = Condition | Compound


@lru_cache(maxsize=2_048)
def parse_filter(text: str) -> Expression:
    """Raises InvalidFilter, with the position of the first character that does not fit."""
    if len(text) > MAX_LENGTH:
        raise InvalidFilter(
            f"the filter is {len(text)} characters long: at most {MAX_LENGTH}", MAX_LENGTH, "", f"{MAX_LENGTH} or less"
        )
    try:
        return cast("Expression", _parser().parse(text))  # the transformer makes it
    except UnexpectedInput as stop:
        at_end = isinstance(stop, UnexpectedToken) and stop.token.type == "$END"
        _refuse(text, len(text) if at_end else stop.pos_in_stream or 0)


def conditions_of(expression: Expression) -> Iterator[Condition]:
    """Every condition in it, from left to right."""
    if isinstance(expression, Condition):
        yield expression
    else:
        for term in expression.terms:
            yield from conditions_of(term)


def uses_now(expression: Expression) -> bool:
    """Whether its answer changes as time goes on."""
    return any(condition.kind in {"compare_now", "age_days"} for condition in conditions_of(expression))


def names_in(expression: Expression) -> tuple[str, ...]:
    """Properties asked about, each once."""
    return tuple(dict.fromkeys(condition.name for condition in conditions_of(expression)))


class _Builder(Transformer[Any, Any]):
    """What the parser builds of each rule, from the leaves up. Methods are named after the grammar's rules."""

    @v_args(inline=True)
    def string(self, token: str) -> str:
        return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)

    @v_args(inline=True)
    def number(self, token: str) -> int | float:
        return int(token) if re.fullmatch(r"-?\d+", token) else float(token)

    @v_args(inline=True)
    def name(self, token: str) -> str:
        return str(token).strip("`")

    def true(self, _: list[Any]) -> bool:
        return True

    def false(self, _: list[Any]) -> bool:
        return False

    def set(self, literals: list[Any]) -> tuple[JsonScalar, ...]:
        return tuple(literals)

    def any(self, terms: list[Any]) -> Expression:
        return _join("or", terms)

    def all(self, terms: list[Any]) -> Expression:
        return _join("and", terms)

    def negation(self, terms: list[Any]) -> Expression:
        return _compound("not", terms)

    @v_args(inline=True)
    def compare(self, name: str, sign: Token, literal: JsonScalar) -> Condition:
        if isinstance(literal, bool) and sign not in {"=", "!="}:
            raise InvalidFilter(
                f"{str(sign)!r} at character {sign.start_pos} does not go with true and false: expected = or !=",
                sign.start_pos or 0,
                str(sign),
                "= or !=",
            )
        return Condition("compare", name, (str(sign), literal))

    def available(self, _: list[Any]) -> Expression:
        """Each bound holds where it is given; the first moment is in, the last one is out."""
        no_start, no_end = (_compound("not", [Condition("exists", name)]) for name in (AVAILABLE_FROM, AVAILABLE_UNTIL))
        begun = _join("or", [no_start, Condition("compare_now", AVAILABLE_FROM, ("<=",))])
        lasts = _join("or", [no_end, Condition("compare_now", AVAILABLE_UNTIL, (">",))])
        return _join("and", [begun, lasts])

    def has_any(self, parts: list[Any]) -> Expression:
        name, literals = parts
        return _join("or", [Condition("has", name, (literal,)) for literal in literals])

    def has_all(self, parts: list[Any]) -> Expression:
        name, literals = parts
        return _join("and", [Condition("has", name, (literal,)) for literal in literals])

    def among(self, parts: list[Any]) -> Expression:
        name, literals = parts
        return Condition("among", name, literals)

    @v_args(tree=True)
    def _single(self, rule: Any) -> Condition:
        """A rule that is one condition: a name and what it is asked about."""
        name, *operands = (str(part) if isinstance(part, Token) else part for part in rule.children)
        return Condition(str(rule.data), str(name), tuple(operands))

    compare_now = has = contains = prefix = exists = age_days = geo_within = _single


def _join(operator: str, terms: list[Any]) -> Expression:
    return terms[0] if len(terms) == 1 else _compound(operator, terms)


def _compound(operator: str, terms: list[Any]) -> Compound:
    depth = 1 + max(term.depth if isinstance(term, Compound) else 0 for term in terms)
    if depth > MAX_DEPTH:
        raise InvalidFilter(
            f"the filter is nested more than {MAX_DEPTH} deep: take parentheses apart", 0, "", "less nesting"
        )
    return Compound(operator, tuple(terms), depth)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", start="any", transformer=_Builder())


_TOLD = {
    "$END": "the end",
    "NAME": "a property's name",
    "QUOTED_NAME": "a name in `back quotes`",
    "STRING": 'a text in "quotes"',
    "NUMBER": "a number",
    "COMPARE": "= != < <= > >=",
    "NOW": "now()",
    "AGE_DAYS": "age_days(",
    "EXISTS": "exists(",
    "AVAILABLE": "available(",
    "GEO_WITHIN": "geo_within(",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
}


def _refuse(text: str, position: int) -> Never:
    before = _parser().parse_interactive(text[:position])
    before.exhaust_lexer()
    accepts = before.accepts()  # type: ignore[no-untyped-call]
    start, end = max(0, position - EXCERPT), position + EXCERPT
    excerpt = ("..." if start else "") + text[start:end] + ("..." if end < len(text) else "")
    expected = ", ".join(sorted((_TOLD.get(name, name.lower()) for name in accepts), key=str.lower))
    came = f"{text[position]!r} at character {position}" if position < len(text) else "the end of the filter"
    raise InvalidFilter(f"{came} does not fit there: expected {expected}", position, excerpt, expected)
