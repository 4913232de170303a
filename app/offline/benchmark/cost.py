"""What serving costs on one core: a new event on cached state, the request head, and reading a history from nothing.

Time depends on shapes, not on weights, so a recipe's towers are measured as they start. CPU time of this process, not
the clock's: machines are shared.
"""

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
from rich.console import Console

from app.device import spend_threads
from app.machine import describe_machine
from app.offline.atomic import replace_text
from app.offline.fetch import fetch_base_model, fetch_user_model
from app.offline.recipes import Recipe
from app.offline.workshop import WORDS_DIM
from app.settings import Settings
from models.context_gate import ContextBatch, context_batch
from models.events import EventBatch, event_batch
from models.item_encoder import load_item_encoder
from models.space import IdBlock, Shape, Space, TextBlock
from models.stepping import interests_of, read_state, step
from models.user_encoder import load_user_transformer

N_ITEMS = 3_416  # MovieLens-1M's; the towers' time does not depend on it
REPEATS = 100
WARM_UP = 10


def measure_cost(settings: Settings, recipe: Recipe, runs: Path) -> Path:
    """runs/cost/<recipe>.json; its path."""
    spend_threads(1)
    space = _space(settings, recipe)
    longest = recipe.history_events
    figures: dict[str, float] = {}
    for n in sorted({20, 50, longest}):
        figures[f"read_{n}_ms"] = _measure(partial(space.interests, _history(n, space)))
    state = read_state(space, _history(longest - 1, space))
    event = _history(1, space)

    def one_event() -> None:
        step(space, state, event)
        state.text_past.crop(-1)  # so that each step is taken from the same state

    figures["event_ms"] = _measure(one_event)
    figures["head_ms"] = _measure(lambda: space.ask(interests_of(space, state), _now()))
    figures["state_bytes"] = state.n_bytes
    about = {"recipe": recipe.name, "machine": describe_machine(), "history_events": longest, "figures": figures}
    path = runs / "cost" / f"{recipe.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, json.dumps(about, indent=1, sort_keys=True) + "\n")
    return path


def read_costs(runs: Path) -> dict[str, dict[str, float]]:
    """Recipe to its figures, of all recipes measured."""
    told = [json.loads(path.read_text()) for path in sorted((runs / "cost").glob("*.json"))]
    return {each["recipe"]: each["figures"] for each in told}


def name_costs(costs: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Figures as the report names them, of the recipe `cpu`; none where it was not measured."""
    return {f"cost.{name}": value for name, value in costs.get("cpu", {}).items()}


def _space(settings: Settings, recipe: Recipe) -> Space:
    console = Console()
    text_dim = load_item_encoder(fetch_base_model(settings.data_dir, console)).dim
    shape = Shape(
        n_items=N_ITEMS,
        text_dim=text_dim,
        block_dim=recipe.block_dim,
        id_dim=recipe.id_dim,
        interests=recipe.interests,
        max_events=recipe.history_events,
        id_layers=recipe.id_layers,
        id_heads=recipe.id_heads,
        id_dropout=recipe.id_dropout,
        text_dropout=recipe.text_dropout,
        has_times=True,
        words_dim=WORDS_DIM,
    )
    transformer = load_user_transformer(
        fetch_user_model(recipe.user_model, settings.data_dir, console), recipe.user_layers
    )
    return Space(shape, TextBlock(shape, transformer), IdBlock(shape)).eval()


def _history(n: int, space: Space) -> EventBatch:
    rng = np.random.default_rng(n)
    return event_batch(
        text=rng.normal(size=(1, n, space.shape.text_dim)).astype(np.float32),
        rows=rng.integers(1, N_ITEMS + 1, (1, n)),
        at_s=1_700_000_000 + np.cumsum(rng.integers(1, 100_000, (1, n)), axis=1),
        weights=np.ones((1, n), dtype=np.float32),
        lengths=np.array([n]),
        has_times=True,
    )


def _now() -> ContextBatch:
    return context_batch(np.array([1_800_000_000]), np.array([3_600]), np.zeros((1, 0), dtype=np.int64), has_times=True)


@torch.inference_mode()
def _measure(work: Callable[[], object]) -> float:
    """Median milliseconds of CPU time."""
    took = []
    for repeat in range(WARM_UP + REPEATS):
        started = time.process_time()
        work()
        if repeat >= WARM_UP:
            took.append((time.process_time() - started) * 1_000)
    return round(median(took), 3)
