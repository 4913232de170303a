from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.crowd import log as log_module
from app.crowd.log import SLACK, CrowdLog, View
from app.domain import ItemId, UserId
from app.history.feed import Deed


def deed(user: int, item: int, at_s: int, weight: float = 1.0, **features: str) -> Deed:
    return Deed(UserId(f"u{user}"), ItemId(f"i{item}"), at_s, weight, features=frozenset(features.items()))


def told(view: View) -> list[tuple[str, str, int]]:
    names = [(view.user_ids[user], view.item_ids[item]) for user, item in zip(view.users, view.items, strict=True)]
    return [(user, item, at_s) for (user, item), at_s in zip(names, view.at_s.tolist(), strict=True)]


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30), max_size=30))
def test_the_newest_events_are_kept_in_order_and_no_more_than_the_bound(pages: list[list[tuple[int, int]]]) -> None:
    log, everything = CrowdLog(40), []
    for page in pages:
        deeds = [deed(user, item, len(everything) + n) for n, (user, item) in enumerate(page)]
        everything += [(d.user_id, d.item_id, d.at_s) for d in deeds]
        log.append(deeds)
    kept = told(log.view())
    assert kept == everything[len(everything) - len(kept) :]
    assert min(len(everything), 40) <= len(kept) <= 40 * (1 + SLACK)


def test_a_view_stays_as_it_was_while_the_log_goes_on() -> None:
    log = CrowdLog(100)
    log.append([deed(n, n % 3, n) for n in range(100)])
    view = log.view()
    before = told(view)
    for n in range(100, 400):
        log.append([deed(n, n % 5, n)])
    assert told(view) == before
    assert (view.n_items, view.n_users, view.newest_s) == (3, 100, 99)


def test_users_who_have_no_event_left_keep_no_number() -> None:
    log = CrowdLog(40)
    for n in range(1_000):
        log.append([deed(n, 0, n)])
    assert log.view().n_users <= 40 * (1 + SLACK)
    assert log.user_code_of(UserId("u0")) is None
    newest = log.user_code_of(UserId("u999"))
    assert newest is not None
    assert log.view().user_ids[newest] == "u999"


def test_a_forgotten_user_weighs_nothing_and_is_named_no_more() -> None:
    log = CrowdLog(40)
    log.append([deed(1, 0, 1), deed(2, 0, 2), deed(1, 1, 3)])
    log.forget(UserId("u1"))
    view = log.view()
    assert view.weights.tolist() == [0, 1, 0]
    assert "u1" not in view.user_ids
    assert log.user_code_of(UserId("u1")) is None
    log.append([deed(1, 2, 4)])
    assert np.count_nonzero(log.view().weights) == 2


def test_what_fades_weighs_less_the_older_it_is_and_the_rest_the_same() -> None:
    log = CrowdLog(40)
    log.append([replace(deed(1, 0, 0), half_life_s=10.0), deed(2, 0, 0), replace(deed(3, 1, 20), half_life_s=10.0)])
    view = log.view()
    assert view.weights.tolist() == [0.25, 1, 1]
    for n in range(4, 100):  # the oldest go, and take their half-lives along
        log.append([deed(n, 2, 20)])
    assert log.view().weights.tolist() == [1.0] * len(log)
    assert view.weights.tolist() == [0.25, 1, 1]


def test_a_page_of_more_than_the_bound_leaves_its_newest() -> None:
    log = CrowdLog(40)
    log.append([deed(n, n, n) for n in range(1_000)])
    assert [at_s for _, _, at_s in told(log.view())] == list(range(960, 1_000))


def test_events_of_a_context_are_found_as_long_as_they_are_kept_and_their_set_no_longer() -> None:
    log, tv = CrowdLog(40), frozenset({("device", "tv")})
    log.append([deed(n, n, n, device="tv" if n % 2 else "phone", page=str(n // 10)) for n in range(20)])
    early = log.view()
    for n in range(20, 100):
        log.append([deed(n, n, n, device="tv" if n % 4 == 0 else "phone", page=str(n // 10))])
    assert early.within(tv).at_s.tolist() == list(range(1, 20, 2))
    kept = log.view()
    assert kept.within(tv).at_s.tolist() == [at for at in kept.at_s.tolist() if at % 4 == 0]
    assert len(kept.features) < 20


def test_past_the_bound_a_new_set_of_features_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MOST_CONTEXTS", 2)
    log = CrowdLog(40)
    log.append([deed(n, 0, n, page=str(n % 3)) for n in range(6)])
    found = [log.view().within(frozenset({("page", str(page))})).at_s.tolist() for page in range(3)]
    assert found == [[0, 3], [1, 4], []]
    assert len(log.view().items) == 6


def test_a_context_that_only_a_forgotten_user_had_is_forgotten_too() -> None:
    log = CrowdLog(40)
    log.append([deed(1, 0, 1, city="Ys"), deed(2, 0, 2, city="Rome"), deed(1, 0, 3, city="Rome")])
    log.forget(UserId("u1"))
    view = log.view()
    assert set(view.features) == {frozenset(), frozenset({("city", "Rome")})}
    assert view.within(frozenset({("city", "Rome")})).at_s.tolist() == [2]
