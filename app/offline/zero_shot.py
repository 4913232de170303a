"""A bundle on a catalogue it never saw: `python -m app.offline.zero_shot DIR...` ranks other data by text alone.

Items get text vectors of the bundle's item encoder and no ID; the user LLM reads histories of such items; there is no
prior, and nothing is trained or chosen on the other data. Beside it stand what needs no training there, nearness to the
last items in the base model's text space, and popularity counted there. Last events of users are asked. Writes
docs/reports/zero-shot.md and .json.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import torch
from rich.console import Console
from torch import Tensor

from app.bundle import open_bundle
from app.catalogue.text import item_text
from app.device import choose_device, share_threads, spend_threads
from app.domain import FloatArray, IntArray
from app.interests.encoder import HistoryEncoder, Reading
from app.offline.baselines.popularity import Popularity
from app.offline.baselines.text import TextSimilarity
from app.offline.benchmark.quality import open_data, short_name
from app.offline.dataset import Dataset
from app.offline.evaluate import Ranker, evaluate
from app.offline.fetch import fetch_base_model
from app.offline.intervals import bootstrap_interval, paired_difference
from app.offline.measures import figures as name_figures
from app.offline.metrics import hit_rate_at, ndcg_at
from app.offline.quality_tables import tell_figure
from app.offline.questions import sample_questions
from app.offline.report import REPOSITORY, markdown_table, write_report
from app.offline.split import Protocol, split
from app.offline.windows import Histories
from app.settings import Settings
from app.trained import Trained, load_trained
from models.events import to_tensor
from models.item_encoder import ItemEncoder, load_item_encoder

K = 10
LAST = 5  # items that the untrained ranker compares with
OURS = "zero_shot"
RANKERS = {OURS: "this bundle, by text alone", "text": "nearest texts, untrained", "popularity": "popularity there"}
COMMAND = "make report-zero-shot"


@dataclass(frozen=True)
class Stranger:
    """A bundle's text block as a ranker of a catalogue that is not its own. text: (N, T) of its item encoder."""

    trained: Trained
    dataset: Dataset
    text: FloatArray
    name: str = OURS

    @torch.inference_mode()
    def scores(self, questions: IntArray) -> FloatArray:
        """(Q, N). No item has an ID, no feature of the context is known."""
        space, width = self.trained.space, self.trained.space.shape.block_dim
        device = next(space.parameters()).device
        interests = HistoryEncoder(space, device).encode([self._read(question) for question in questions.tolist()])
        told = to_tensor(np.stack(interests)[..., :width]).to(device)  # (Q, K, block_dim)
        context = self._histories.contexts(questions, questions - 1).to(device)
        return np.asarray((space.text.gate.ask(told, context) @ self._items.T).amax(dim=1).cpu().numpy())

    @cached_property
    def _histories(self) -> Histories:
        codes = self.trained.context.encode_columns({}, len(self.dataset.rows))
        return Histories(self.dataset, self.text, codes, self.dataset.has_times and self.trained.space.shape.has_times)

    @cached_property
    def _items(self) -> Tensor:
        space = self.trained.space
        return space.text.items(to_tensor(self.text).to(next(space.parameters()).device))

    def _read(self, question: int) -> Reading:
        data = self.dataset
        events = np.arange(data.starts[data.users[question]], question)[-self.trained.space.shape.max_events :]
        unknown = np.full(len(events), -1, dtype=np.int64)
        return Reading(self.text[data.rows[events]], unknown, data.at_s[events], data.weights[events])


def measure(trained: Trained, base: ItemEncoder, dataset: Dataset) -> dict[str, IntArray]:
    """(Q,) ranks of the last events of users, for everything in RANKERS. base: the item encoder as it came."""
    halves = split(dataset, Protocol.LEAVE_ONE_OUT)
    asked = sample_questions(halves.test)
    texts = [item_text(item) for item in dataset.items]
    untrained = TextSimilarity.fit(dataset, halves, item_vectors=base.encode(texts).numpy(), last=LAST)
    rankers: dict[str, Ranker] = {
        OURS: Stranger(trained, dataset, trained.item_encoder.encode(texts).numpy()),
        "text": untrained,
        "popularity": Popularity.fit(dataset, halves),
    }
    return {name: evaluate(dataset, halves, asked, ranker, k=(K,)).ranks for name, ranker in rankers.items()}


def figures(ranks: Mapping[str, Mapping[str, IntArray]]) -> dict[str, float]:
    """`<data>.<ranker>.<metric>`, and what ours is above each of the others. ranks: data to ranker to (Q,)."""
    found: dict[str, float] = {}
    for data, of in ranks.items():
        found[f"{data}.questions"] = len(of[OURS])
        for ranker in RANKERS:
            ndcg, hr = ndcg_at(of[ranker], K), hit_rate_at(of[ranker], K)
            told = {f"ndcg{K}": bootstrap_interval(ndcg), f"hr{K}": bootstrap_interval(hr)}
            found |= name_figures(f"{data}.{ranker}", told)
            if ranker != OURS:
                above = paired_difference(ndcg_at(of[OURS], K), ndcg)
                found |= name_figures(f"{data}.{OURS}_minus_{ranker}", {f"ndcg{K}": above})
    return found


def write(told: Mapping[str, float], data: Sequence[str], about: str, folder: Path) -> None:
    rows = [
        {
            "Data": name,
            "Ranker": words,
            f"NDCG@{K}": tell_figure(told, f"{name}.{ranker}.ndcg{K}"),
            f"HR@{K}": tell_figure(told, f"{name}.{ranker}.hr{K}"),
            f"This bundle minus it, NDCG@{K}": ""
            if ranker == OURS
            else tell_figure(told, f"{name}.{OURS}_minus_{ranker}.ndcg{K}", signed=True),
        }
        for name in data
        for ranker, words in RANKERS.items()
    ]
    asked = ", ".join(f"{told[f'{name}.questions']:,.0f} of {name}" for name in data)
    body = f"""\
Last events of users, at most a fixed draw of 5,000: {asked}. All items ranked, seen items taken out of every list; in
brackets 95% bootstrap intervals over users. The bundle was trained on other items and other people, and nothing of it
was chosen on these data; the untrained ranker reads the last {LAST} items.

{markdown_table(pl.DataFrame(rows))}

{about}"""
    write_report(folder, "zero-shot", "A catalogue never seen", COMMAND, dict(told), body)


def main() -> None:
    folders = [Path(folder) for folder in sys.argv[1:]]
    if not folders:
        raise SystemExit(f'{COMMAND} DATA="DIR DIR": folders with interactions.tsv.gz and items.tsv.gz')
    settings = Settings()
    spend_threads(share_threads(settings, processes=1))
    bundle, device = open_bundle(settings.bundle_dir), choose_device(settings)
    trained = load_trained(bundle, device)
    base = load_item_encoder(fetch_base_model(settings.data_dir, Console()), device)
    ranks = {short_name(folder): measure(trained, base, open_data(settings, folder)) for folder in folders}
    manifest = bundle.manifest
    about = f"Bundle {bundle.version}, trained on {manifest.dataset}, recipe {manifest.recipe}."
    write(figures(ranks), list(ranks), about, REPOSITORY / "docs/reports")


if __name__ == "__main__":
    main()
