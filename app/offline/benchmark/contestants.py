"""Who takes part: baselines by their names, and ours, whole and with one thing changed at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.errors import DataError
from app.offline.baselines.tuning import Baseline, list_baselines, tune
from app.offline.blend import BlendRanker, choose_blend, choose_trend, list_blends, list_blends_of_one
from app.offline.evaluate import Ranker
from app.offline.questions import sample_questions
from app.offline.training import Epoch
from app.offline.workshop import Variation, Workshop
from models.space import Blend, SasRecBlock, TextBlock

OURS = "penchant"


@dataclass(frozen=True)
class Entry:
    """A contestant ready to rank the test questions; what chose it looked at validation only."""

    ranker: Ranker
    arguments: Mapping[str, float]
    validation_ndcg10: float
    curves: Mapping[str, list[Epoch]] = field(default_factory=dict)


SERVED = Variation()


@dataclass(frozen=True)
class Learned:
    """One that is trained. text, id, sasrec: which blocks it has. trend: whether it may take the trend in. variation:
    what differs from what is served."""

    text: bool = True
    id: bool = True
    sasrec: bool = False
    trend: bool = True
    variation: Variation = SERVED


LEARNED: Mapping[str, Learned] = {
    OURS: Learned(),
    "penchant_text": Learned(id=False),
    "penchant_id": Learned(text=False),
    "sasrec_ce": Learned(text=False, id=False, sasrec=True, trend=False, variation=Variation(times=False)),
    "sasrec_ce_time": Learned(text=False, id=False, sasrec=True, trend=False),
    "random_user_llm": Learned(id=False, variation=Variation(pretrained=False)),
    "frozen_item_encoder": Learned(id=False, variation=Variation(tuned_items=False)),
    "domain_pretraining": Learned(id=False, variation=Variation(domain=True)),
    "without_trend": Learned(trend=False),
    "without_time": Learned(variation=Variation(times=False)),
    "one_interest": Learned(variation=Variation(interests=1)),
    "without_gate": Learned(variation=Variation(gate=False)),
}
"""Served whole; each block alone; the baseline that is trained, without and with the clock; then the ablations.
`random`, `frozen` and `domain` are to be held against `penchant_text`, the others against the whole."""

ABOUT = {
    OURS: "both blocks, as served",
    "penchant_text": "the LLM block alone",
    "penchant_id": "the ID block alone",
    "sasrec_ce": "SASRec, full cross-entropy",
    "sasrec_ce_time": "the same with the clock",
    "random_user_llm": "LLM block, user LLM from random weights",
    "frozen_item_encoder": "LLM block, item encoder as it comes",
    "domain_pretraining": "LLM block, item encoder that read the catalogue first",
    "without_trend": "both blocks, no trend",
    "without_time": "both blocks without the clock",
    "one_interest": "both blocks, one interest",
    "without_gate": "both blocks, no context gate",
}


def list_contestants() -> list[str]:
    """Every name, baselines first; some can only take part where there is text, or few enough items."""
    return [*BASELINES, *LEARNED]


BASELINES = (
    "popularity",
    "recent_popularity",
    "markov",
    "item_knn",
    "als",
    "ease",
    "text_similarity",
    "markov_text",
)


def is_seeded(contestant: str) -> bool:
    """Whether another seed gives another ranker: the counting baselines need one run only."""
    return contestant in LEARNED


def enter(contestant: str, workshop: Workshop) -> Entry:
    """Train or tune it. Raises DataError where it cannot take part here, and for an unknown name."""
    if contestant in LEARNED:
        return _learn(contestant, LEARNED[contestant], workshop)
    if contestant in BASELINES:
        (baseline,) = [known for known in _baselines(contestant, workshop) if known.name == contestant]
        tuned = tune(baseline, workshop.dataset, workshop.split)
        return Entry(tuned.ranker, tuned.arguments, tuned.ndcg10)
    raise DataError(f"no contestant {contestant!r}: choose from {', '.join(list_contestants())}")


def _baselines(contestant: str, workshop: Workshop) -> tuple[Baseline, ...]:
    reads_text = "text" in contestant
    return list_baselines(workshop.text(tuned=False) if reads_text else None)


def _learn(name: str, learned: Learned, workshop: Workshop) -> Entry:
    variation = learned.variation
    curves: dict[str, list[Epoch]] = {}
    text: TextBlock | None = None
    id_: SasRecBlock | None = None
    if learned.text:
        text, curves["text block"] = workshop.text_block(variation)
    if learned.id:
        id_, curves["ID block"] = workshop.id_block(variation)
    if learned.sasrec:
        id_, curves["SASRec"] = workshop.sasrec(variation)
    parts = workshop.parts(text, id_, variation)
    asked = sample_questions(workshop.split.validation)
    blend, ndcg10 = choose_blend(parts, asked, _blends_of(learned))
    if learned.trend:
        blend, ndcg10 = choose_trend(blend, parts, asked)
    return Entry(BlendRanker(name, parts, blend), blend.as_dict(), ndcg10, curves)


def _blends_of(learned: Learned) -> list[Blend]:
    if learned.sasrec:  # as published: none of the prior
        return [Blend(text=0.0, id=1.0, shrink=0.0, prior=0.0)]
    return list_blends() if learned.text and learned.id else list_blends_of_one(text=learned.text)
