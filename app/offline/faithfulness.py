"""Do cited events matter? `python -m app.offline.faithfulness` takes them away, and random ones beside them.

For each user the first item of their slate is explained: the events whose absence alone lowers it most are cited. Then
all that are cited are taken away together, which no single measurement has seen, and as many drawn at random from the
others that were tried. Faithful evidence lowers the item's score and rank more. Writes docs/reports/faithfulness.md,
.json.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from app.bundle import open_bundle
from app.domain import Context, Event, SlateRequest, UserId
from app.offline.intervals import bootstrap_interval, paired_difference
from app.offline.report import REPOSITORY, markdown_table, write_report
from app.offline.report_users import serve_users
from app.settings import Settings
from app.wiring import Resources

USERS = 150
TRIED = 10
CITED = 3
AT = datetime(2024, 6, 5, 20, tzinfo=UTC)
COMMAND = "make report-faithfulness"


async def measure(settings: Settings, n_users: int = USERS, seed: int = 0) -> list[dict[str, float]]:
    """One row a user: falls of score and of rank without the cited events and without as many random others."""
    rng = np.random.default_rng(seed)
    async with serve_users(settings, n_users) as (resources, users):
        rows = [await _ask(resources, user, rng) for user in users]
    return [row for row in rows if row is not None]


async def _ask(resources: Resources, user: UserId, rng: np.random.Generator) -> dict[str, float] | None:
    """None for a user with too few events to leave any out, or none of whose events lifts the item."""
    events = (await resources.histories.last(user, 50)).events
    if len(events) <= TRIED:
        return None
    seen = await resources.histories.seen(user)
    whole = await _scores(resources, events, seen)
    item_id = max(whole, key=lambda item: whole[item])
    alone = {
        place: whole[item_id] - (await _scores(resources, _less(events, {place}), seen))[item_id]
        for place in range(len(events) - TRIED, len(events))
    }
    cited = [place for place in sorted(alone, key=lambda place: -alone[place])[:CITED] if alone[place] > 0]
    others = [place for place in alone if place not in cited]
    if not cited or len(others) < len(cited):
        return None
    drawn = rng.choice(others, len(cited), replace=False).tolist()
    told: dict[str, float] = {}
    for name, places in (("cited", set(cited)), ("random", set(drawn))):
        left = await _scores(resources, _less(events, places), seen)
        told[f"{name}.score_fall"] = whole[item_id] - left[item_id]
        told[f"{name}.rank_fall"] = float(_rank(left, item_id) - _rank(whole, item_id))
    return told


async def _scores(resources: Resources, events: Sequence[Event], seen: frozenset[str]) -> dict[str, float]:
    """Item to score of all that the user has not met, by the main path; the history is told with the request."""
    request = SlateRequest(Context(AT), 500, history=tuple(events))
    items = [item.item_id for item in resources.catalogue.items() if item.item_id not in seen]
    slate = await resources.recommender.rank(request, items)
    return {str(place.item.item_id): place.score for place in slate.items}


def _less(events: Sequence[Event], places: set[int]) -> tuple[Event, ...]:
    return tuple(event for place, event in enumerate(events) if place not in places)


def _rank(scores: Mapping[str, float], item_id: str) -> int:
    return 1 + sum(score > scores[item_id] for score in scores.values())


def figures(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {"users": len(rows), "cited_events": CITED, "tried_events": TRIED}
    for what in ("score_fall", "rank_fall"):
        cited, random = (np.array([row[f"{name}.{what}"] for row in rows]) for name in ("cited", "random"))
        estimates = {
            f"cited.{what}": bootstrap_interval(cited),
            f"random.{what}": bootstrap_interval(random),
            f"difference.{what}": paired_difference(cited, random),
        }
        for name, estimate in estimates.items():
            found |= {name: estimate.value, f"{name}.low": estimate.low, f"{name}.high": estimate.high}
        found[f"cited_falls_further.{what}"] = float((cited > random).mean())
    return found


def write(settings: Settings, rows: Sequence[Mapping[str, float]], folder: Path) -> None:
    told = figures(rows)
    manifest = open_bundle(settings.bundle_dir).manifest

    def show(name: str) -> str:
        return f"{told[name]:.2f} [{told[f'{name}.low']:.2f}, {told[f'{name}.high']:.2f}]"

    table = pl.DataFrame(
        [
            {
                "Taken away": taken,
                "Score falls by": show(f"{name}.score_fall"),
                "Rank falls by": show(f"{name}.rank_fall"),
            }
            for taken, name in (("cited events", "cited"), ("random events", "random"), ("difference", "difference"))
        ]
    )
    body = f"""\
{told["users"]:.0f} users. Of the {TRIED} newest events of each, up to {CITED} are cited for the first item of the
slate: those whose absence alone lowers its score most. They are taken away together, and against them as many of the
others at random. Ranks are among all items that the user has not met. In brackets: 95% bootstrap intervals over users.

{markdown_table(table)}

The cited events lower the score further for {told["cited_falls_further.score_fall"]:.1%} of the users.

Bundle {manifest.version}, data {manifest.dataset}, recipe {manifest.recipe}."""
    write_report(folder, "faithfulness", "Faithfulness: do cited events matter?", COMMAND, told, body)


if __name__ == "__main__":
    served = Settings()
    write(served, asyncio.run(measure(served)), REPOSITORY / "docs/reports")
