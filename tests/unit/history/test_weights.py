import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.history import weights
from app.history.weights import (
    event_types,
    event_weight,
    half_life_s,
    holds_refusal,
    is_off_scale,
    is_refusal,
    use_event_types,
)


@pytest.fixture(autouse=True)
def _as_built_in() -> Iterator[None]:
    yield
    use_event_types({})


def test_each_type_is_worth_what_the_table_says_and_an_unknown_one_a_click() -> None:
    assert (event_weight("purchase"), event_weight("view"), event_weight("hide")) == (1.0, 0.2, -1.0)
    assert event_weight("humming") == event_weight("click")


@pytest.mark.parametrize(("value", "weight"), [(5, 1.0), (4, 0.8), (0, 0.1), (9, 1.0), (-2, 0.1)])
def test_a_rating_is_worth_its_share_of_five(value: float, weight: float) -> None:
    assert event_weight("rating", value) == pytest.approx(weight)


@pytest.mark.parametrize(("value", "off"), [(5, False), (0, False), (5.5, True), (-1, True), (None, False)])
def test_a_rating_beyond_its_scale_is_known_to_be(value: float | None, off: bool) -> None:
    assert is_off_scale("rating", value) is off
    assert not is_off_scale("click", value)


def test_a_scale_can_be_configured_and_given_to_a_type_of_ones_own() -> None:
    use_event_types({"rating": {"scale": 10}, "stars": {"scale": 3}})
    assert (event_weight("rating", 8), event_weight("stars", 3), event_weight("stars")) == (0.8, 1.0, 0.3)
    assert is_off_scale("stars", 4)


def test_a_refusal_with_a_half_life_holds_until_it_has_faded_to_a_tenth() -> None:
    assert holds_refusal("hide", 1e12)
    assert not holds_refusal("like", 0)
    use_event_types({"not_now": {"weight": -0.05, "half_life_days": 1}})
    assert holds_refusal("not_now", -5)
    assert holds_refusal("not_now", 3.3 * 86_400)
    assert not holds_refusal("not_now", 3.4 * 86_400)
    assert (half_life_s("not_now"), half_life_s("hide")) == (86_400, math.inf)


def test_a_play_is_worth_more_the_more_of_it_was_played() -> None:
    assert event_weight("play", completion=0.0) == pytest.approx(0.1)
    assert event_weight("play", completion=1.0) == pytest.approx(0.9)
    assert event_weight("play", dwell_s=60) == event_weight("play", completion=0.5)
    assert event_weight("play", dwell_s=0, completion=1.0) == pytest.approx(0.9)
    assert event_weight("purchase", dwell_s=5) == 1.0


@given(
    st.sampled_from([known.name for known in event_types()]) | st.text(max_size=5),
    st.none() | st.floats(-1e6, 1e6),
    st.none() | st.floats(0, 1e9),
    st.none() | st.floats(0, 1),
)
def test_a_weight_is_always_from_minus_one_to_one(
    event_type: str, value: float | None, dwell_s: float | None, completion: float | None
) -> None:
    assert -1 <= event_weight(event_type, value, dwell_s, completion) <= 1


def test_configured_types_change_the_table_and_the_next_configuration_starts_anew() -> None:
    use_event_types({"trailer": {"weight": 0.4}, "skip": {"weight": -0.5}, "view": {"weight": 0}})
    assert (event_weight("trailer"), event_weight("view")) == (0.4, 0.0)
    assert is_refusal("skip")
    assert "skip" in weights.refusing_types()

    use_event_types({})
    assert event_weight("trailer") == event_weight("click")
