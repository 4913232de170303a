"""`penchant demo`: the whole path on MovieLens-100K, each step skipped where its outcome is already there."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from app.bundle import MANIFEST, Bundle, open_bundle
from app.offline.clean import clean
from app.offline.columns import get_mapping
from app.offline.evaluate_bundles import REPORTS, evaluate_bundles
from app.offline.fetch import fetch_base_model, fetch_movielens
from app.offline.load import load_dataset
from app.offline.split import Protocol
from app.offline.train import train_bundle, training_progress
from app.settings import Settings

NAME = "ml-100k"
REPORT = "demo"


def prepare_demo(settings: Settings, recipe: str, seed: int) -> Callable[[], None]:
    """Fetch, clean, train, evaluate and load; give what to call when the server is up.

    Nothing of it where a bundle of other data is served there: it is left as it is, and its store without our films.
    """
    console = Console()
    if (other := _other_data(settings.bundle_dir)) is not None:
        console.print(_LEFT_ALONE.format(link=settings.bundle_dir, name=other), style="yellow")
        return lambda: None
    raw = fetch_movielens(settings.data_dir, console)
    fetch_base_model(settings.data_dir, console)
    folder = settings.data_dir / "data" / NAME
    if not (folder / "dataset.json").is_file():
        console.print("cleaning")
        clean(raw / "ml-100k.inter", raw / "ml-100k.item", get_mapping("movielens-100k"), folder, NAME)
    console.print("training: once for the served bundle, once for the time split")
    served = train_bundle(settings, NAME, recipe, Protocol.LEAVE_ONE_OUT, seed)
    timed = train_bundle(settings, NAME, recipe, Protocol.GLOBAL_TIME, seed, current=False)
    if not all(_is_evaluated(bundle) for bundle in (served, timed)):
        evaluate_bundles(settings, [served.name, timed.name], REPORT)
    _show_quality(console, open_bundle(served), open_bundle(timed))
    with training_progress() as progress:
        asyncio.run(load_dataset(folder, NAME, settings.database_url, progress))
    return lambda: print(_HINT.format(url=f"http://{settings.host}:{settings.port}"), flush=True)  # noqa: T201


def _other_data(current: Path) -> str | None:
    """Name of the served bundle's data set; None where nothing is served, or the demo's. Of any format: an older
    program's bundle of the demo is trained again."""
    if not (current / MANIFEST).is_file():
        return None
    name = str(json.loads((current / MANIFEST).read_text()).get("dataset"))
    return None if name == NAME else name


def _is_evaluated(bundle: Path) -> bool:
    return (bundle / "metrics.json").is_file()


def _show_quality(console: Console, *bundles: Bundle) -> None:
    for bundle in bundles:
        figures = json.loads(bundle.path("metrics.json").read_text())
        where = f"ml100k.{bundle.manifest.protocol}.ndcg10"
        names = {"penchant": where, "Markov": f"baseline.markov.{where}", "popularity": f"baseline.popularity.{where}"}
        told = ", ".join(f"{name} {figures[figure]:.4f}" for name, figure in names.items())
        console.print(f"NDCG@10 ({bundle.manifest.protocol}): {told}")
    console.print(f"all figures: {REPORTS / REPORT}.md")


_LEFT_ALONE = (
    "{link} is a bundle of {name}, not of the demo: it goes on being served, and nothing was trained or loaded. For "
    "the demo beside it, set PENCHANT_DATA_DIR and PENCHANT_BUNDLE_DIR to folders of its own."
)

_HINT = """
Penchant is ready at {url} (to look at: {url}/console, documentation: {url}/docs). Three commands to a meaning:

1. What would user 1 like?
   curl -s {url}/v1/recommendations -H 'content-type: application/json' -d '{{"user_id": "1", "k": 5}}'

2. They have just liked a few animated films:
   curl -s {url}/v1/events -H 'content-type: application/json' -d '{{"events": [
     {{"event_id": "demo-1", "user_id": "1", "item_id": "588", "type": "like"}},
     {{"event_id": "demo-2", "user_id": "1", "item_id": "418", "type": "like"}},
     {{"event_id": "demo-3", "user_id": "1", "item_id": "404", "type": "like"}}]}}'

3. Ask again, and see the slate move:
   curl -s {url}/v1/recommendations -H 'content-type: application/json' -d '{{"user_id": "1", "k": 5}}'
"""
