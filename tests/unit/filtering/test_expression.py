import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InvalidFilter
from app.filtering.expression import MAX_LENGTH, Compound, Condition, names_in, parse_filter, uses_now

YEAR = Condition("compare", "year", (">=", 1990))


def refusal(text: str) -> InvalidFilter:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("year >= 1990", YEAR),
        ("year>=1990", YEAR),
        ("`the year` != -1.5e3", Condition("compare", "the year", ("!=", -1500.0))),
        ("a.b = true", Condition("compare", "a.b", ("=", True))),
        ("année = 'où'", Condition("compare", "année", ("=", "où"))),
        (r'title = "say \"hi\" \\"', Condition("compare", "title", ("=", r'say "hi" \ '.strip()))),
        ("item_id in ('50', '181')", Condition("among", "item_id", ("50", "181"))),
        ('categories has "Comedy"', Condition("has", "categories", ("Comedy",))),
        ('title contains "star"', Condition("contains", "title", ("star",))),
        ('title prefix "Star"', Condition("prefix", "title", ("Star",))),
        ("exists(poster)", Condition("exists", "poster")),
        ("released <= now()", Condition("compare_now", "released", ("<=",))),
        ("age_days(released) < 30", Condition("age_days", "released", ("<", 30))),
        ("geo_within(place, 52.5, -13.4, 5)", Condition("geo_within", "place", (52.5, -13.4, 5))),
        ("((year >= 1990))", YEAR),
    ],
)
def test_each_question_is_read(text: str, condition: Condition) -> None:
    assert parse_filter(text) == condition


def test_not_binds_tighter_than_and_and_that_tighter_than_or() -> None:
    a, b, c = (Condition("exists", name) for name in "abc")
    assert parse_filter("exists(a) or not exists(b) and exists(c)") == Compound(
        "or", (a, Compound("and", (Compound("not", (b,), 1), c), 2)), 3
    )
    assert parse_filter("(exists(a) or exists(b)) and exists(c)") == Compound("and", (Compound("or", (a, b), 1), c), 2)


def test_words_of_the_language_are_names_where_a_name_is_due() -> None:
    assert parse_filter("contains = 3") == Condition("compare", "contains", ("=", 3))
    assert parse_filter("notable = 3 and orange = 1").operator == "and"


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("year >=", 7, "a number"),
        ("year >> 3", 6, "a number"),
        ("(a = 1", 6, ")"),
        ("a = 1 b = 2", 6, "and, or, the end"),
        ("a ~ 3", 2, "contains"),
        ("", 0, "a property's name"),
        ("a in ()", 6, "a number"),
        ('a = "never ended', 4, 'a text in "quotes"'),
        ("a < true", 2, "= or !="),
        ('age_days(r) < "x"', 14, "a number"),
        ("a = 1 and\n  ?", 12, "a property's name"),
    ],
)
def test_a_mistake_is_pointed_at_with_what_was_expected_there(text: str, position: int, expected: str) -> None:
    error = refusal(text)
    assert error.position == position
    assert expected in error.expected
    assert error.excerpt in text


def test_a_mistake_far_in_is_shown_with_what_is_around_it_alone() -> None:
    error = refusal("year = 1 and " * 20 + "? " + "and year = 1 " * 20)
    assert error.excerpt == "... 1 and year = 1 and ? and year = 1 and y..."


@pytest.mark.parametrize("text", ["not " * 400 + "a = 1", "(a = 1 or b = 2 and " * 40 + "a = 1" + ")" * 40])
def test_deep_nesting_is_refused_rather_than_exhausting_the_stack(text: str) -> None:
    assert "nested" in str(refusal(text))


def test_parentheses_that_change_nothing_are_no_nesting() -> None:
    assert parse_filter("(" * 900 + "year >= 1990" + ")" * 900) == YEAR


def test_a_filter_that_is_too_long_is_refused() -> None:
    assert "characters long" in str(refusal("a = 1 or " * MAX_LENGTH))


def test_names_and_the_use_of_time_are_told() -> None:
    expression = parse_filter("year > 1 and (available() or not age_days(year) < 3)")
    assert names_in(expression) == ("year", "available_from", "available_until")
    assert uses_now(expression)
    assert not uses_now(parse_filter("year > 1"))


ALPHABET = ["a", "`b`", "=", "!=", "<", "(", ")", ",", "1", "-2.5", '"x"', "'", "in", "has", "any", "and", "or", "not"]


def mistake_in(text: str) -> InvalidFilter | None:
    try:
        parse_filter(text)
    except InvalidFilter as error:
        return error
    return None


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from([*ALPHABET, "exists", "now", "geo_within", "available", "true"]), max_size=12))
def test_any_words_are_read_or_refused_at_a_place_among_them(words: list[str]) -> None:
    text = " ".join(words)
    mistake = mistake_in(text)
    assert mistake is None or (0 <= mistake.position <= len(text) and mistake.expected)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40))
def test_no_text_at_all_brings_about_another_error(text: str) -> None:
    mistake = mistake_in(text)
    assert mistake is None or 0 <= mistake.position <= len(text)
