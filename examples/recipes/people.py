"""People with tastes and habits, made up: what every recipe's events come from. The same seed gives the same files."""

import csv
import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

Thing = TypeVar("Thing")

FAVOURITE, HABIT = 0.65, 0.2
"""Shares of the steps that follow a person's own topics, and what their situation brings; the rest is chance."""


@dataclass(frozen=True)
class Scene:
    """items: rows of the item table, each with `item_id` and `topic`. event_types: type to how often it happens.

    situations: feature to its values. habits: value of a feature to the topics that people turn to in it.
    """

    items: Sequence[Mapping[str, object]]
    event_types: Mapping[str, int]
    situations: Mapping[str, Sequence[str]]
    habits: Mapping[str, Sequence[str]]
    people: int = 80
    steps: int = 16


def cross(things: Mapping[str, Iterable[Thing]], others: Sequence[str]) -> Iterator[tuple[int, str, Thing, str]]:
    """(number from 1, topic, thing, other): every thing of every topic with each of the others, in this order."""
    of_topic = ((topic, thing) for topic, told in things.items() for thing in told)
    for number, ((topic, thing), other) in enumerate(itertools.product(of_topic, others), 1):
        yield number, topic, thing, other


def write(scene: Scene, folder: Path, seed: int = 0) -> None:
    """`items.csv` and `events.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "items.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(scene.items[0]))
        table.writeheader()
        table.writerows({name: _as_text(value) for name, value in item.items()} for item in scene.items)
    with (folder / "events.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("user_id", "item_id", "at", "type", *scene.situations))
        rows.writerows(_live(scene, random.Random(seed)))


def _as_text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _live(scene: Scene, rng: random.Random) -> list[tuple[object, ...]]:
    by_topic: dict[object, list[object]] = {}
    for item in scene.items:
        by_topic.setdefault(item["topic"], []).append(item["item_id"])
    rows = []
    for person in range(scene.people):
        favourites = rng.sample(list(by_topic), 2)
        at = datetime(2025, 1, 6, 7, tzinfo=UTC) + timedelta(minutes=rng.randrange(10_000))
        for _ in range(scene.steps):
            situation = [rng.choice(values) for values in scene.situations.values()]
            item_id = rng.choice(by_topic[_topic(scene, rng, favourites, situation, list(by_topic))])
            (what,) = rng.choices(list(scene.event_types), list(scene.event_types.values()))
            rows.append((f"person-{person}", item_id, at.isoformat(), what, *situation))
            at += timedelta(minutes=rng.randrange(30, 4_000))
    return rows


def _topic(
    scene: Scene, rng: random.Random, favourites: Sequence[object], situation: Sequence[str], topics: Sequence[object]
) -> object:
    habits = [topic for value in situation for topic in scene.habits.get(value, ())]
    chance = rng.random()
    if chance < FAVOURITE:
        return rng.choice(favourites)
    return rng.choice(habits) if habits and chance < FAVOURITE + HABIT else rng.choice(topics)
