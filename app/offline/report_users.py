"""Users of a data set, stored for a report that asks the real stack, in a database of the report's own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from app.bundle import open_bundle
from app.domain import UserId
from app.offline.load import to_events
from app.settings import Settings
from app.wiring import Resources, open_resources

HISTORY = 10
"""Events that a user needs to be asked about: fewer leave nothing to tell apart."""


@asynccontextmanager
async def serve_users(settings: Settings, n: int) -> AsyncIterator[tuple[Resources, tuple[UserId, ...]]]:
    """The served bundle, opened over the histories of n users of its data set, drawn the same way every time.

    Nothing of it touches the server's own database or cache.
    """
    name = open_bundle(settings.bundle_dir).manifest.dataset
    folder = settings.data_dir / "data" / name
    users, table = _draw(folder, n)
    own = {"redis_url": "memory://", "encode_budget_ms": 60_000, "encode_queue": 1_000}
    async with AsyncExitStack() as stack:
        data_dir = Path(stack.enter_context(TemporaryDirectory()))
        changed = settings.model_copy(
            update={**own, "data_dir": data_dir, "database_url": f"sqlite:///{data_dir / 'report.sqlite3'}"}
        )
        resources = await stack.enter_async_context(open_resources(changed))
        await resources.histories.append(to_events(name, table))
        yield resources, users


def _draw(folder: Path, n: int) -> tuple[tuple[UserId, ...], pl.DataFrame]:
    """n users with HISTORY events or more, evenly spaced by id, and the last 100 events of each."""
    table = pl.read_parquet(folder / "events.parquet")
    long = table.group_by("user_id").len().filter(pl.col("len") >= HISTORY)["user_id"].cast(pl.String).sort()
    step = max(1, len(long) // n)
    users = tuple(UserId(user) for user in long.gather_every(step).head(n))
    kept = table.filter(pl.col("user_id").cast(pl.String).is_in(list(users))).sort("at").group_by("user_id").tail(100)
    return users, kept.sort("user_id", "at")


def spread(users: Sequence[UserId], n: int) -> list[UserId]:
    """n users, each as often as any other."""
    return [users[place % len(users)] for place in range(n)]
