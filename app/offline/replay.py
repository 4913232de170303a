"""Logged traffic lived through again: what another bundle, or another placement, would have shown and got.

The store is copied, emptied of events, and filled again in the order in which they came: each logged request is asked
when the copy holds what was known at its moment, so no answer knows of the click that followed. What has no history is
as it is now: the catalogue, placements, edited interests.
"""

import json
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from app.domain import ItemId, SlateRequest
from app.errors import DataError, PenchantError
from app.history.weights import IMPRESSION, event_weight
from app.offline.off_policy import Replayed, estimate
from app.settings import Settings
from app.slates.asked import RANKED, request_from_json, request_to_json
from app.slates.record import COLUMNS, SlateRecord, from_row
from app.storage.database import SCHEME, open_database
from app.storage.timestamps import to_micros

Answer = Callable[[SlateRecord], Awaitable[Sequence[ItemId]]]
"""What the other policy shows for a logged request, best first, as many places as the log has."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Slates in the order of time. shown: slate_id -> items an impression names, where there is one.

    taken: (slate_id, item_id) of every outcome.
    """

    slates: tuple[SlateRecord, ...]
    shown: Mapping[str, frozenset[ItemId]]
    taken: frozenset[tuple[str, ItemId]]


def read_traffic(database_file: Path, since: datetime, placement: str | None, outcomes: Sequence[str]) -> Traffic:
    """placement: of the slates wanted, None for all. outcomes: types of events that count; () for all liked ones."""
    with closing(sqlite3.connect(database_file)) as connection:
        sql = f"SELECT {COLUMNS} FROM slates WHERE served_at >= ? ORDER BY served_at, slate_id"  # noqa: S608
        slates = [from_row(row) for row in connection.execute(sql, (to_micros(since),))]
        events = connection.execute("SELECT slate_id, item_id, type FROM events WHERE slate_id IS NOT NULL").fetchall()
        told = "SELECT slate_id, items FROM observations WHERE type = ? AND items IS NOT NULL"
        shown: dict[str, frozenset[ItemId]] = {}
        for slate_id, items in connection.execute(told, (IMPRESSION,)):
            shown[slate_id] = shown.get(slate_id, frozenset()) | frozenset(json.loads(items))
    kinds = {kind for _, _, kind in events if kind in outcomes or (not outcomes and event_weight(kind) > 0)}
    wanted = [s for s in slates if RANKED not in s.request and placement in (None, s.placement)]
    return Traffic(tuple(wanted), shown, frozenset((slate, item) for slate, item, kind in events if kind in kinds))


async def replay(traffic: Traffic, answer: Answer) -> Replayed:
    """The estimate over all places that were shown; of a slate without impressions, all of its places were."""
    weights, outcomes, slates, users = [], [], [], []
    user_numbers: dict[str, int] = {}
    for number, slate in enumerate(traffic.slates):
        there = await answer(slate)
        first = min((item.position for item in slate.items), default=1)
        user = user_numbers.setdefault(f"user {slate.user_id}" if slate.user_id else slate.slate_id, len(user_numbers))
        for item in slate.items:
            if item.item_id not in traffic.shown.get(slate.slate_id, {item.item_id}):
                continue
            place = item.position - first
            same = place < len(there) and there[place] == item.item_id
            weights.append(1.0 / item.propensity if same else 0.0)
            outcomes.append(float((slate.slate_id, item.item_id) in traffic.taken))
            slates.append(number)
            users.append(user)
    return estimate(np.array(weights), np.array(outcomes), np.array(slates, np.int64), np.array(users, np.int64))


async def replay_store(
    settings: Settings,
    bundle: Path,
    since: datetime,
    *,
    placement: str | None = None,
    as_placement: str | None = None,
    outcomes: Sequence[str] = (),
) -> Replayed:
    """Replay the slates that `settings`' store remembers, answered by the bundle in the folder `bundle`.

    as_placement: asked for under this placement instead of their own. Raises DataError where no slate is remembered.
    """
    with tempfile.TemporaryDirectory(prefix="penchant-replay-") as folder:
        copy = Path(folder) / "penchant.sqlite3"
        _copy(settings.database_url, copy)
        await open_database(f"{SCHEME}{copy}").close()
        traffic = read_traffic(copy, since, placement, outcomes)
        if not traffic.slates:
            raise DataError("no slate of that time and placement is remembered: serve some, or look further back")
        with closing(sqlite3.connect(copy, isolation_level=None)) as past:
            _forget_events(past)
            own = {"database_url": f"{SCHEME}{copy}", "bundle_dir": bundle, "redis_url": "memory://"}
            return await _answer_all(settings.model_copy(update=own), past, traffic, as_placement)


async def _answer_all(
    settings: Settings, past: sqlite3.Connection, traffic: Traffic, as_placement: str | None
) -> Replayed:
    from app.wiring import open_resources  # torch and FAISS: only for a replay that has something to answer

    async with open_resources(settings) as resources:

        async def answer(slate: SlateRecord) -> Sequence[ItemId]:
            _live_until(past, to_micros(slate.served_at))
            request = _request_of(slate, as_placement)
            if request is None:
                return ()
            try:
                return [place.item.item_id for place in (await resources.plain.recommend(request)).items]
            except PenchantError:
                return ()  # what this bundle cannot answer matches nothing

        return await replay(traffic, answer)


def _request_of(slate: SlateRecord, as_placement: str | None) -> SlateRequest | None:
    """The request again, nothing left to chance and in no hurry; None where this version no longer understands it."""
    changed: dict[str, Any] = {"k": max(len(slate.items), 1), "exploration": 0.0, "deadline_ms": None}
    if as_placement is not None:
        changed["placement"] = as_placement
    try:
        request = request_from_json({**slate.request, **changed})
    except ValueError:
        return None
    if as_placement is not None and request_to_json(request).get("placement") != as_placement:
        raise DataError("requests of this version name no placement: replay without --as-placement")
    return request


def _live_until(past: sqlite3.Connection, moment: int) -> None:
    """Let everything that had arrived by then have arrived."""
    past.execute("BEGIN")
    past.execute("INSERT INTO events SELECT * FROM later_events WHERE received_at < ? ORDER BY seq", (moment,))
    past.execute("DELETE FROM later_events WHERE received_at < ?", (moment,))
    past.execute("COMMIT")


def _copy(database_url: str, copy: Path) -> None:
    """By way of SQLite's own backup: a server may go on writing. Brought up to date where it is of an older form."""
    source = Path(database_url.removeprefix(SCHEME)).absolute()
    if not source.is_file():
        raise DataError(f"no store at {source}: serve first, or name another with --database-url")
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(copy)) as connection,
    ):
        live.backup(connection)


def _forget_events(past: sqlite3.Connection) -> None:
    """Set the events aside, and with them the choice of a bundle, experiments and shadows: the replay has its own."""
    past.execute("PRAGMA synchronous = OFF")  # a copy that nobody needs afterwards
    past.execute("CREATE TABLE later_events AS SELECT * FROM events ORDER BY seq")
    past.execute("CREATE INDEX later_events_by_arrival ON later_events (received_at)")
    past.execute("DELETE FROM events")
    for chosen in ("decisions", "experiments", "shadows"):
        past.execute(f"DELETE FROM {chosen}")  # noqa: S608
