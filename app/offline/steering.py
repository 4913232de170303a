"""Does saying it move the slate? `python -m app.offline.steering` asks the real stack, phrase by phrase.

For each phrase of the bundle a user is served plainly; then steered towards it and away from it by a sentence; then
after an edit that says more, less and never of it. A phrase moved right where the slate's mean similarity to it rose,
or fell, as it should; after never, no place may be left that carries it as a category either. The judge of similarity
is the base model, untuned: not the encoder that the steering itself goes by. Writes docs/reports/steering.md, .json.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from rich.console import Console

from app.bundle import open_bundle
from app.catalogue.text import item_text
from app.domain import Context, EditOperation, FloatArray, InterestChange, Slate, SlateRequest, UserId
from app.offline.fetch import fetch_base_model
from app.offline.intervals import bootstrap_interval
from app.offline.report import REPOSITORY, markdown_table, write_report
from app.offline.report_users import serve_users, spread
from app.settings import Settings
from app.trained import load_trained
from app.wiring import Resources
from models.item_encoder import load_item_encoder

K = 20
PHRASES = 120
USERS = 40
AT = datetime(2024, 6, 5, 20, tzinfo=UTC)
RIGHT = {"steer": 1, "steer away": -1, "more": 1, "less": -1, "never": -1}
COMMAND = "make report-steering"
ENDS = ("", ".low", ".high")


class Judge:
    """Similarity of slates to a phrase: cosine of text vectors, whatever the scores say."""

    def __init__(self, settings: Settings, model: Path, n_phrases: int) -> None:
        trained = load_trained(open_bundle(settings.bundle_dir), torch.device("cpu"))
        encoder = load_item_encoder(model, torch.device("cpu"))
        self.phrases = trained.phrases[:n_phrases]
        self._texts = dict(zip(self.phrases, encoder.encode(list(self.phrases)).numpy(), strict=True))
        items = encoder.encode([item_text(item) for item in trained.items]).numpy()
        self._items = dict(zip((item.item_id for item in trained.items), items, strict=True))

    def similarity(self, phrase: str, slate: Slate) -> float:
        items: FloatArray = np.stack([self._items[place.item.item_id] for place in slate.items])
        return float((items @ self._texts[phrase]).mean())


async def measure(
    settings: Settings, model: Path, n_phrases: int = PHRASES, n_users: int = USERS
) -> list[dict[str, Any]]:
    """One row a phrase and way: phrase, way, by (change of mean similarity), share (change of the share of places that
    carry the phrase as a category; None where it is none), right. model: folder of the text model that judges.
    """
    judge = Judge(settings, model, n_phrases)
    phrases = judge.phrases
    async with serve_users(settings, n_users) as (resources, users):
        rows: list[dict[str, Any]] = []
        categories = {category for item in resources.catalogue.items() for category in item.categories}
        for phrase, user in zip(phrases, spread(users, len(phrases)), strict=True):
            plain = await _serve(resources, user)
            for way, slate, kept in await _move(resources, user, phrase):
                by = judge.similarity(phrase, slate) - judge.similarity(phrase, plain)
                right = by * RIGHT[way] > 0 and not (way == "never" and kept)
                share = _share(phrase, slate) - _share(phrase, plain) if phrase in categories else None
                rows.append({"phrase": phrase, "way": way, "by": by, "share": share, "right": right})
    return rows


async def _move(resources: Resources, user: UserId, phrase: str) -> list[tuple[str, Slate, int]]:
    """(way, slate, places that carry the phrase as a category) of each way to say it, everything taken back after."""
    told = [
        ("steer", await _serve(resources, user, steer=f"+{phrase.replace(',', ' ')}")),
        ("steer away", await _serve(resources, user, steer=f"-{phrase.replace(',', ' ')}")),
    ]
    for operation in (EditOperation.MORE, EditOperation.LESS, EditOperation.NEVER):
        await resources.editor.edit(user, [InterestChange(operation, phrase)])
        told.append((operation.value, await _serve(resources, user)))
        await resources.editor.edit(user, [InterestChange(EditOperation.RESET)])
    return [(way, slate, round(_share(phrase, slate) * len(slate.items))) for way, slate in told]


async def _serve(resources: Resources, user: UserId, steer: str = "") -> Slate:
    return await resources.recommender.recommend(SlateRequest(Context(AT), K, user, steer=steer))


def _share(phrase: str, slate: Slate) -> float:
    return sum(phrase in place.item.categories for place in slate.items) / max(len(slate.items), 1)


def figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Of each way the share of phrases that moved right, with its interval, and the mean changes."""
    found: dict[str, float] = {"phrases": len({row["phrase"] for row in rows}), "k": K}
    by_way: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_way[str(row["way"])].append(row)
    for way, told in by_way.items():
        name = way.replace(" ", "_")
        right = bootstrap_interval(np.array([float(bool(row["right"])) for row in told]))
        found |= {f"{name}.right": right.value, f"{name}.right.low": right.low, f"{name}.right.high": right.high}
        found[f"{name}.similarity_change"] = float(np.mean([row["by"] for row in told]))
        shares = [row["share"] for row in told if row["share"] is not None]
        found[f"{name}.category_share_change"] = float(np.mean(shares)) if shares else 0.0
        found["categories"] = len(shares)
    return found


def write(settings: Settings, rows: Sequence[Mapping[str, Any]], folder: Path) -> None:
    told = figures(rows)
    manifest = open_bundle(settings.bundle_dir).manifest
    table = pl.DataFrame(
        [
            {
                "Said": way,
                "Moved right": "{:.1%} [{:.1%}, {:.1%}]".format(*(told[f"{name}.right{end}"] for end in ENDS)),
                "Mean change of similarity": round(told[f"{name}.similarity_change"], 4),
                "Mean change of a category's share": round(told[f"{name}.category_share_change"], 4),
            }
            for way in RIGHT
            for name in [way.replace(" ", "_")]
        ]
    )
    wrong = [f"{row['phrase']} ({row['way']}, {row['by']:+.4f})" for row in rows if not row["right"]]
    body = f"""\
{told["phrases"]:.0f} phrases, each with one of {USERS} users, slates of {K}. Similarity is the mean cosine between
the phrase and the texts of the slate's items, by the base model as it came, untuned. After `never` no place may be left
that carries the phrase as a category either. {told["categories"]:.0f} of the phrases are categories: the last column is
theirs. In brackets: 95% bootstrap intervals over phrases. Steering has the default weight of 0.5.

{markdown_table(table)}

Moved the wrong way: {"; ".join(wrong) or "none"}.

Bundle {manifest.version}, data {manifest.dataset}, recipe {manifest.recipe}."""
    write_report(folder, "steering", "Steering: does saying it move the slate?", COMMAND, told, body)


if __name__ == "__main__":
    served = Settings()
    judge = fetch_base_model(served.data_dir, Console())
    write(served, asyncio.run(measure(served, judge)), REPOSITORY / "docs/reports")
