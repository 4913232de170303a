"""Why each item of a slate is in it, in sentences with the evidence that truly took part in the choice.

The plain reasons are read off the score: which interest won, what the words, the context and the popularity added.
What a single event of the history contributed lies behind the encoder, so it is measured by leaving the event out, and
only when the request asks for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain import PART_NAMES, Context, DoubleArray, IntArray, Reason, Scores, SlateRequest, Source
from app.scoring.prior import BUCKET_NAMES, bucket_of
from app.scoring.rules import RULES, without_rules

LEAST_SHARE = 0.1  # a context or trend part under a tenth of the score is not worth a sentence


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """What the slate's items would score without one event. title: of the event's item. scores: (k,)."""

    event_id: str
    item_id: str
    title: str
    scores: DoubleArray


def explain_slate(
    scores: Scores,
    chosen: IntArray,
    sources: Sequence[Source],
    matches: Sequence[str | None],
    request: SlateRequest,
    left_out: Sequence[LeaveOneOut] = (),
) -> list[tuple[Reason, ...]]:
    """For each chosen candidate its reasons, the weightiest first.

    chosen: (k,) positions in `scores`. sources and matches belong to the chosen: the source of the row that won, and
    the phrase that row and item share, if any.
    """
    reasons = []
    for place, candidate in enumerate(chosen):
        told = [_main_reason(int(scores.interest[candidate]), sources[place], matches[place], request)]
        told += _evidence_reasons(place, float(without_rules(scores)[candidate]), left_out)
        told += _context_reasons(scores, int(candidate), request.context)
        told += _trend_reasons(scores, int(candidate))
        told += _rule_reasons(float(scores.parts[candidate, RULES]))
        reasons.append(tuple(told))
    return reasons


def _main_reason(interest: int, source: Source, match: str | None, request: SlateRequest) -> Reason:
    if source is Source.POPULAR:
        when = BUCKET_NAMES[bucket_of(request.context.at)]
        return Reason("popular", f"Popular on a {when}", {"part_of_week": when})
    if source is Source.WORDS:
        return Reason("words", f"Close to your words: {request.words}", {"words": request.words})
    if match is None:
        return Reason("interest", "Close to one of your interests", {"interest": interest})
    return Reason("interest", f"Matches your interest in {match}", {"interest": interest, "phrase": match})


def _evidence_reasons(place: int, score: float, left_out: Sequence[LeaveOneOut]) -> list[Reason]:
    """The event without which this item would have scored least, if any lowers it."""
    if not left_out:
        return []
    lowest = min(left_out, key=lambda without: float(without.scores[place]))
    fall = score - float(lowest.scores[place])
    if fall <= 0:
        return []
    text = f"Without {lowest.title} it would score {fall:.2f} less"
    return [Reason("event", text, {"event_id": lowest.event_id, "item_id": lowest.item_id, "fall": fall})]


def _context_reasons(scores: Scores, candidate: int, context: Context) -> list[Reason]:
    part = _part_worth_telling(scores, candidate, "context")
    if not part:
        return []
    when = BUCKET_NAMES[bucket_of(context.at)]
    verb = "raised" if part > 0 else "lowered"
    return [Reason("context", f"This moment ({when}) {verb} it by {abs(part):.2f}", {"context_part": part})]


def _trend_reasons(scores: Scores, candidate: int) -> list[Reason]:
    part = _part_worth_telling(scores, candidate, "trend")
    if not part:
        return []
    told = "More liked lately than before: raised" if part > 0 else "Less liked lately than before: lowered"
    return [Reason("trend", f"{told} by {abs(part):.2f}", {"trend_part": part})]


def _part_worth_telling(scores: Scores, candidate: int, name: str) -> float:
    part = float(scores.parts[candidate, PART_NAMES.index(name)])
    return part if abs(part) >= LEAST_SHARE * max(abs(float(scores.total[candidate])), 1e-6) else 0.0


def _rule_reasons(part: float) -> list[Reason]:
    if part == 0:
        return []
    verb = "raised" if part > 0 else "lowered"
    return [Reason("rule", f"A boost {verb} it by {abs(part):.2f}", {"rules_part": part})]
