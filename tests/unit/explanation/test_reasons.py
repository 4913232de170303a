from datetime import UTC, datetime

import numpy as np
import pytest
from tiny_rooms import asking

from app.domain import PART_NAMES, Context, Reason, Scores, Source
from app.explanation.reasons import LeaveOneOut, explain_slate

SATURDAY_NIGHT = Context(datetime(2024, 1, 6, 2, tzinfo=UTC))
REQUEST = asking(words="slow western", context=SATURDAY_NIGHT)
CONTEXT = PART_NAMES.index("context")


def scores_of(*totals: float, context: float = 0.0) -> Scores:
    parts = np.zeros((len(totals), len(PART_NAMES)), dtype=np.float32)
    parts[:, 0], parts[:, CONTEXT] = np.array(totals) - context, context
    return Scores(np.array(totals, dtype=np.float32), parts, np.arange(len(totals)))


def explain(
    source: Source = Source.INTERESTS, match: str | None = None, scores: Scores | None = None, *left_out: LeaveOneOut
) -> tuple[Reason, ...]:
    """The reasons of the only item."""
    (reasons,) = explain_slate(scores or scores_of(2.0), np.array([0]), [source], [match], REQUEST, left_out)
    return reasons


def without(event_id: str, *scores: float) -> LeaveOneOut:
    return LeaveOneOut(event_id, f"item of {event_id}", f"Film of {event_id}", np.array(scores, dtype=np.float32))


def test_an_interest_that_shares_a_phrase_with_the_item_names_it() -> None:
    assert explain(match="space") == (
        Reason("interest", "Matches your interest in space", {"interest": 0, "phrase": "space"}),
    )


def test_an_interest_without_a_shared_phrase_claims_none() -> None:
    assert explain() == (Reason("interest", "Close to one of your interests", {"interest": 0}),)


def test_words_are_quoted() -> None:
    assert explain(Source.WORDS) == (Reason("words", "Close to your words: slow western", {"words": "slow western"}),)


def test_what_is_popular_is_so_in_this_part_of_the_week() -> None:
    assert explain(Source.POPULAR) == (
        Reason("popular", "Popular on a weekend night", {"part_of_week": "weekend night"}),
    )


def test_the_event_whose_absence_costs_most_is_the_evidence() -> None:
    _, evidence = explain(Source.INTERESTS, None, scores_of(2.0), without("e1", 1.5), without("e2", 0.5))
    assert evidence == Reason(
        "event",
        "Without Film of e2 it would score 1.50 less",
        {"event_id": "e2", "item_id": "item of e2", "fall": 1.5},
    )


def test_events_whose_absence_costs_nothing_are_no_evidence() -> None:
    assert [reason.kind for reason in explain(Source.INTERESTS, None, scores_of(2.0), without("e1", 2.5))] == [
        "interest"
    ]


@pytest.mark.parametrize(("part", "verb"), [(0.5, "raised"), (-0.5, "lowered")])
def test_a_moment_that_weighs_in_is_told_of(part: float, verb: str) -> None:
    _, moment = explain(scores=scores_of(2.0, context=part))
    assert moment.text == f"This moment (weekend night) {verb} it by 0.50"
    assert moment.evidence == {"context_part": part}


@pytest.mark.parametrize("part", [0.19, -0.19, 0.0])
def test_a_moment_worth_less_than_a_tenth_of_the_score_is_not(part: float) -> None:
    assert len(explain(scores=scores_of(2.0, context=part))) == 1


@pytest.mark.parametrize(("part", "told"), [(0.5, "More liked lately than before: raised"), (-0.5, "Less liked")])
def test_a_trend_that_weighs_in_is_told_of(part: float, told: str) -> None:
    scores = scores_of(2.0)
    scores.parts[:, PART_NAMES.index("trend")] = part
    _, lately = explain(scores=scores)
    assert (lately.kind, lately.evidence) == ("trend", {"trend_part": part})
    assert lately.text.startswith(told)


def test_each_chosen_item_has_its_own_reasons_in_the_order_of_the_slate() -> None:
    reasons = explain_slate(
        scores_of(1.0, 5.0, 3.0),
        np.array([1, 2]),
        [Source.INTERESTS, Source.WORDS],
        ["space", None],
        REQUEST,
        [without("e1", 4.0, 3.5)],
    )
    assert [[reason.kind for reason in told] for told in reasons] == [["interest", "event"], ["words"]]
    assert reasons[0][0].evidence["interest"] == 1
    assert reasons[0][1].evidence["fall"] == pytest.approx(1.0)


def test_an_empty_slate_has_no_reasons() -> None:
    assert explain_slate(scores_of(1.0), np.array([], dtype=np.int64), [], [], REQUEST) == []
