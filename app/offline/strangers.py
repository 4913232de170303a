"""How well are strangers served? `python -m app.offline.strangers` tells the bundle less and less of each user.

The test questions of the bundle's own split, all items ranked, by the arithmetic of the server: given the whole
history, its last three, two or one events, only words, or nothing. Words are what somebody might say of themselves: the
two categories they like most, or the titles of the last three things they liked. Item-kNN is told the same events.
Writes docs/reports/strangers.md and .json.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import torch

from app.bundle import open_bundle
from app.domain import Context, FloatArray, IntArray
from app.interests.encoder import HistoryEncoder, Reading
from app.interests.spoken import words_row
from app.offline.baselines.item_knn import ItemKnn
from app.offline.dataset import Dataset, read_dataset
from app.offline.intervals import bootstrap_interval, paired_difference
from app.offline.measures import figures as name_figures
from app.offline.metrics import hit_rate_at, ndcg_at
from app.offline.quality_tables import tell_figure
from app.offline.questions import rank_targets
from app.offline.report import REPOSITORY, markdown_table, write_report
from app.offline.split import Protocol, Split, split
from app.scoring.scorer import Scorer
from app.settings import Settings
from app.trained import Trained, load_trained

K = 10
FEW = (1, 2, 3)
LIKED_CATEGORIES, LIKED_TITLES = 2, 3
CPU = torch.device("cpu")
COMMAND = "make report-strangers"
ABOUT = {
    "nobody": "nothing: popularity in this part of the week",
    "categories": f"words: the {LIKED_CATEGORIES} categories they like most",
    "titles": f"words: the titles of the last {LIKED_TITLES} things they liked",
    "events_1": "one event",
    "events_2": "two events",
    "events_3": "three events",
    "item_knn_1": "one event, to item-kNN",
    "item_knn_2": "two events, to item-kNN",
    "item_knn_3": "three events, to item-kNN",
    "whole": "the whole history",
}


@dataclass(frozen=True)
class Asker:
    """Asks a bundle the questions of a data set as the server would, with whatever interests it is given."""

    trained: Trained
    dataset: Dataset

    def rank(self, questions: IntArray, interests: Callable[[int], FloatArray], *, events: bool) -> IntArray:
        """(Q,) ranks among all unseen items. interests: question to (K, D). events: whether any event is known."""
        scorer = Scorer(self.trained.space, self.trained.context)
        rows = np.hstack([self.trained.vectors, self.trained.prior])  # (N, D + PRIOR_DIM)
        scores = np.empty((len(questions), len(rows)), dtype=np.float32)
        for place, question in enumerate(questions.tolist()):
            last_event_at_s = int(self.dataset.at_s[question - 1]) if events else None
            query = scorer.query(interests(question), self._context(question), last_event_at_s)
            scores[place] = (rows @ query.gated.T).max(axis=1)
        return rank_targets(self.dataset, questions, scores)

    def after(self, n: int | None) -> Callable[[int], FloatArray]:
        """Interests after the last n events before a question, or after all of them."""
        encoder, data = HistoryEncoder(self.trained.space, CPU), self.dataset

        def read(question: int) -> FloatArray:
            first = data.starts[data.users[question]]
            events = np.arange(first if n is None else max(first, question - n), question)
            rows = data.rows[events]
            return encoder.encode([Reading(self.trained.text[rows], rows, data.at_s[events], data.weights[events])])[0]

        return read

    def hear(self, questions: IntArray, say: Callable[[int], str]) -> Callable[[int], FloatArray]:
        """Interests of words alone, as `app.interests.spoken` makes them."""
        told = [say(question) for question in questions.tolist()]
        with torch.inference_mode():
            said = self.trained.space.words_vectors(self.trained.words_encoder.encode(told).to(CPU)).numpy()
        rows = np.stack([words_row(self.trained, row * self.trained.words_scale, [row]) for row in said])
        return dict(zip(questions.tolist(), rows[:, None, :], strict=True)).__getitem__

    def _context(self, question: int) -> Context:
        features = {name: str(values[question]) for name, values in self.dataset.context.items()}
        return Context(datetime.fromtimestamp(int(self.dataset.at_s[question]), UTC), features)


def liked(dataset: Dataset, question: int) -> IntArray:
    """Rows of what the user liked before the question, oldest first."""
    events = np.arange(dataset.starts[dataset.users[question]], question)
    return dataset.rows[events[dataset.weights[events] > 0]]


def say_categories(dataset: Dataset, question: int) -> str:
    """ "Comedy, Drama": what they like most, in order, equals by the alphabet. "" where nothing has one."""
    counts = Counter(category for row in liked(dataset, question) for category in dataset.items[row].categories)
    most = sorted(counts, key=lambda category: (-counts[category], category))[:LIKED_CATEGORIES]
    return ", ".join(most)


def say_titles(dataset: Dataset, question: int) -> str:
    return ", ".join(dataset.items[row].title for row in liked(dataset, question)[-LIKED_TITLES:])


def measure(trained: Trained, dataset: Dataset, halves: Split) -> dict[str, IntArray]:
    """(Q,) ranks of the same test questions, for everything in ABOUT. Questions of users who liked nothing are left
    out: they have nothing to say."""
    asked = np.array([question for question in halves.test if len(liked(dataset, int(question)))], dtype=np.int64)
    asker = Asker(trained, dataset)
    nobody = np.empty((0, trained.space.shape.dim), dtype=np.float32)
    categories = asker.hear(asked, lambda question: say_categories(dataset, question))
    titles = asker.hear(asked, lambda question: say_titles(dataset, question))
    ranks = {
        "nobody": asker.rank(asked, lambda _: nobody, events=False),
        "categories": asker.rank(asked, categories, events=False),
        "titles": asker.rank(asked, titles, events=False),
    }
    ranks |= {f"events_{n}": asker.rank(asked, asker.after(n), events=True) for n in FEW}
    for n in FEW:
        neighbours = ItemKnn.fit(dataset, halves, last=n, shrink=10)
        ranks[f"item_knn_{n}"] = rank_targets(dataset, asked, np.array(neighbours.scores(asked), dtype=np.float32))
    return ranks | {"whole": asker.rank(asked, asker.after(None), events=True)}


def figures(ranks: Mapping[str, IntArray]) -> dict[str, float]:
    """NDCG@10 and HR@10 of each, with intervals, and what each is above knowing nothing."""
    found = {"questions": float(len(ranks["nobody"]))}
    for name, of in ranks.items():
        told = {f"ndcg{K}": bootstrap_interval(ndcg_at(of, K)), f"hr{K}": bootstrap_interval(hit_rate_at(of, K))}
        found |= name_figures(name, told)
        above = paired_difference(ndcg_at(of, K), ndcg_at(ranks["nobody"], K))
        found |= name_figures(f"{name}_minus_nobody", {f"ndcg{K}": above})
    return found


def write(told: Mapping[str, float], about: str, folder: Path) -> None:
    rows = [
        {
            "Told": words,
            f"NDCG@{K}": tell_figure(told, f"{name}.ndcg{K}"),
            f"HR@{K}": tell_figure(told, f"{name}.hr{K}"),
            f"NDCG@{K} above telling nothing": tell_figure(told, f"{name}_minus_nobody.ndcg{K}", signed=True),
        }
        for name, words in ABOUT.items()
    ]
    body = f"""\
{told["questions"]:.0f} test questions, all items ranked, seen items taken out of every list; in brackets 95% bootstrap
intervals over users. What is told of a user is all that the bundle reads of them.

{markdown_table(pl.DataFrame(rows))}

{about}"""
    write_report(folder, "strangers", "How strangers are served", COMMAND, dict(told), body)


def main() -> None:
    settings = Settings()
    bundle = open_bundle(settings.bundle_dir)
    manifest = bundle.manifest
    dataset = read_dataset(settings.data_dir / "data" / manifest.dataset)
    ranks = measure(load_trained(bundle, CPU), dataset, split(dataset, Protocol(manifest.protocol)))
    about = f"Bundle {bundle.version}, data {manifest.dataset}, recipe {manifest.recipe}, {manifest.protocol}."
    write(figures(ranks), about, REPOSITORY / "docs/reports")


if __name__ == "__main__":
    main()
