from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.history import weights
from app.history.weights import event_types, event_weight, is_refusal, use_event_types


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
