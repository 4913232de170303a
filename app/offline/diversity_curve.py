"""What diversity costs: `python -m app.offline.diversity_curve` re-ranks the served scores by every knob there is.

For each test question of the bundle's own split the best candidates by score are composed to a slate as the service
does, once a point: a diversifier and a weight. What is kept is where the target came and how unlike the items of the
slate are. Unlikeness is measured in the text space of the base model, untuned, which no re-ranker reads. The point to
recommend is chosen on validation questions: the most diverse one whose NDCG falls by at most MOST_LOST. Writes
docs/reports/diversity.md, .json and a picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import torch
from rich.console import Console

from app.bundle import open_bundle
from app.catalogue.text import item_text
from app.domain import FloatArray, IntArray
from app.offline.bundle_ranker import BundleRanker
from app.offline.dataset import Dataset, read_dataset
from app.offline.fetch import fetch_base_model
from app.offline.intervals import Estimate, paired_difference
from app.offline.metrics import NO_ITEM, UNRANKED, Values, intra_list_diversity_at, ndcg_at, top_rows
from app.offline.questions import hide_seen, sample_questions
from app.offline.report import REPOSITORY, markdown_table, write_report
from app.offline.split import Protocol, split
from app.offline.svg import open_pyplot, save_svg
from app.reranking.compose import Diversifier, compose
from app.settings import Settings
from app.trained import load_trained
from models.item_encoder import load_item_encoder

K = 10
WEIGHTS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
MOST_LOST = 0.01  # of NDCG, on validation; half of what we allow ourselves on test
BATCH = 256
COMMAND = "make report-diversity"


@dataclass(frozen=True, slots=True)
class Point:
    """diversity: 0 is by score, whatever the diversifier."""

    diversifier: Diversifier
    diversity: float

    @property
    def name(self) -> str:
        return f"{self.diversifier}.{self.diversity:g}"


BY_SCORE = Point(Diversifier.DPP, 0.0)
POINTS = (BY_SCORE, *(Point(*pair) for pair in product(Diversifier, WEIGHTS)))


@dataclass(frozen=True)
class Measured:
    """ndcg: (Q,) NDCG@10. ild: mean intra-list diversity of the Q slates."""

    ndcg: Values
    ild: float


def measure(
    ranker: BundleRanker,
    dataset: Dataset,
    questions: IntArray,
    *,
    candidates: int,
    vectors: FloatArray,
    outside: FloatArray,
) -> dict[Point, Measured]:
    """Every point on the same questions. candidates: how many of the best are composed. vectors: (N, D) that the
    re-ranker reads. outside: (N, T) that diversity is measured in."""
    tops: dict[Point, list[IntArray]] = {point: [] for point in POINTS}
    for start in range(0, len(questions), BATCH):
        asked = questions[start : start + BATCH]
        scores = ranker.scores(asked)
        hide_seen(dataset, asked, scores)
        best = top_rows(scores, candidates)
        for point in POINTS:
            slates = [_compose(row[shown], shown, vectors, point) for row, shown in zip(scores, best, strict=True)]
            tops[point].append(np.stack(slates))
    targets = dataset.rows[questions]
    found = {}
    for point, parts in tops.items():
        top = np.concatenate(parts)
        found[point] = Measured(ndcg_at(_ranks(top, targets), K), intra_list_diversity_at(top, K, outside))
    return found


def _compose(scores: FloatArray, rows: IntArray, vectors: FloatArray, point: Point) -> IntArray:
    """(K,) item rows, NO_ITEM where there are fewer candidates."""
    there = rows != NO_ITEM
    chosen = compose(scores[there], vectors[rows[there]], K, diversity=point.diversity, diversifier=point.diversifier)
    slate = np.full(K, NO_ITEM, dtype=np.int64)
    slate[: len(chosen)] = rows[there][chosen]
    return slate


def _ranks(top: IntArray, targets: IntArray) -> IntArray:
    """(Q,) place of the target in its slate, UNRANKED where it is not there."""
    hit = top == targets[:, None]
    return np.where(hit.any(axis=1), hit.argmax(axis=1), UNRANKED).astype(np.int64)


def choose(validation: Mapping[Point, Measured]) -> Point:
    """The most diverse point whose mean NDCG is at least (1 - MOST_LOST) of that by score."""
    least = (1 - MOST_LOST) * validation[BY_SCORE].ndcg.mean()
    return max(
        (point for point in validation if validation[point].ndcg.mean() >= least), key=lambda p: validation[p].ild
    )


def figures(test: Mapping[Point, Measured], chosen: Point, users: IntArray) -> dict[str, float]:
    """Of each point its means; of the chosen one what it costs and brings, relative to the order by score."""
    found = {"k": float(K), "questions": float(len(users))}
    for point, measured in test.items():
        found |= {f"{point.name}.ndcg{K}": float(measured.ndcg.mean()), f"{point.name}.ild{K}": measured.ild}
    lost = _loss(test, chosen, users)
    found |= {f"chosen.ndcg{K}_change": lost.value, f"chosen.ndcg{K}_change.low": lost.low}
    found |= {f"chosen.ndcg{K}_change.high": lost.high, "chosen.diversity": chosen.diversity}
    found[f"chosen.ild{K}_change"] = test[chosen].ild / test[BY_SCORE].ild - 1
    return found


def _loss(test: Mapping[Point, Measured], chosen: Point, users: IntArray) -> Estimate:
    """Change of NDCG as a share of that by score, with a paired interval over users."""
    change, whole = paired_difference(test[chosen].ndcg, test[BY_SCORE].ndcg, users), test[BY_SCORE].ndcg.mean()
    return Estimate(*(float(end / whole) for end in (change.value, change.low, change.high)))


def draw(path: Path, test: Mapping[Point, Measured], chosen: Point) -> None:
    """NDCG over diversity, a line a diversifier, the chosen point ringed."""
    plt = open_pyplot()
    figure, panel = plt.subplots(figsize=(7, 4), layout="constrained")
    for kind in Diversifier:
        line = [BY_SCORE, *(point for point in test if point.diversifier is kind and point.diversity)]
        panel.plot([test[p].ild for p in line], [test[p].ndcg.mean() for p in line], "o-", markersize=3, label=kind)
    panel.plot(test[chosen].ild, test[chosen].ndcg.mean(), "o", markersize=11, fillstyle="none", label="chosen")
    panel.set(xlabel=f"intra-list diversity of {K} items", ylabel=f"NDCG@{K}")
    panel.set_ylim(bottom=0)
    panel.legend(frameon=False)
    save_svg(plt, figure, path)


def write(settings: Settings, model: Path, folder: Path) -> None:
    """Measure the bundle that is served and write the report. model: folder of the text model that judges."""
    bundle = open_bundle(settings.bundle_dir)
    dataset = read_dataset(settings.data_dir / "data" / bundle.manifest.dataset)
    trained = load_trained(bundle, torch.device("cpu"))
    encoder = load_item_encoder(model, torch.device("cpu"))
    outside = encoder.encode([item_text(item) for item in dataset.items]).numpy()
    halves = split(dataset, Protocol(bundle.manifest.protocol))
    ranker = BundleRanker(trained, dataset, halves.train)

    def at(questions: IntArray) -> dict[Point, Measured]:
        texts = trained.vectors[:, : trained.space.shape.block_dim]
        return measure(ranker, dataset, questions, candidates=settings.candidates, vectors=texts, outside=outside)

    chosen, test = choose(at(sample_questions(halves.validation))), at(halves.test)
    told = figures(test, chosen, dataset.users[halves.test])
    (folder / "diversity").mkdir(parents=True, exist_ok=True)
    draw(folder / "diversity" / "curve.svg", test, chosen)
    about = f"Bundle {bundle.version}, data {dataset.name}, recipe {bundle.manifest.recipe}, {halves.protocol}."
    write_report(folder, "diversity", "What diversity costs", COMMAND, told, _page(test, chosen, told, about))


def _page(test: Mapping[Point, Measured], chosen: Point, told: Mapping[str, float], about: str) -> str:
    by_score = test[BY_SCORE]
    rows = [
        {
            "Diversifier": "by score" if point == BY_SCORE else str(point.diversifier),
            "Diversity": f"{point.diversity:g}",
            f"NDCG@{K}": f"{measured.ndcg.mean():.4f}",
            "Change": f"{measured.ndcg.mean() / by_score.ndcg.mean() - 1:+.1%}",
            f"Intra-list diversity@{K}": f"{measured.ild:.4f}",
            "Change of it": f"{measured.ild / by_score.ild - 1:+.1%}",
        }
        for point, measured in test.items()
    ]
    interval: Sequence[float] = (told[f"chosen.ndcg{K}_change.low"], told[f"chosen.ndcg{K}_change.high"])
    return f"""\
{told["questions"]:.0f} test questions, slates of {K} composed of the best unseen items. Intra-list diversity is the
mean of 1 - cosine over the pairs of a slate, in the text space of the base model as it came, untuned; what the
re-ranker reads are the text blocks of the bundle's item vectors.

Chosen on validation: {chosen.diversifier} at {chosen.diversity:g}, the most diverse point that lost at most
{MOST_LOST:.0%} of NDCG there. On test it changes NDCG@{K} by {told[f"chosen.ndcg{K}_change"]:+.1%}
[{interval[0]:+.1%}, {interval[1]:+.1%}] and intra-list diversity by {told[f"chosen.ild{K}_change"]:+.1%}.

![NDCG over diversity](diversity/curve.svg)

{markdown_table(pl.DataFrame(rows))}

{about}"""


if __name__ == "__main__":
    served = Settings()
    write(served, fetch_base_model(served.data_dir, Console()), REPOSITORY / "docs/reports")
