"""What users made of the slates served: rates, coverage and latency, from the slate log and the events that followed.

Aggregated by SQL on a connection and a thread of its own, so that no request waits for it. Counts are of slates, each
counted at the time it was served, whenever its click came.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.catalogue.store import CatalogueStore
from app.history.weights import IMPRESSION, refusing_types
from app.storage.database import Database
from app.storage.timestamps import from_micros, to_micros

MOST_GROUPS = 5_000


class By(StrEnum):
    """What slates may be grouped by: columns of the slate log."""

    PLACEMENT = "placement"
    ARM = "arm"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class Window:
    """The time from since to until, `until` left out, cut into equal buckets."""

    since: datetime
    until: datetime
    buckets: int = 1


@dataclass(frozen=True, slots=True)
class OnlineMetrics:
    """Of one group of slates in one bucket.

    at: the bucket's start. placement, arm, bundle: of the group; None where not grouped by, or not told. clicked,
    converted: slates that an event followed from. items, distinct_items: places served, and different items in them.
    items_clicked: places with a click. items_shown, shown_clicked: both of slates that an impression was told of, and
    only places that one, or a click, says were on the screen.
    took_ms: median and 95th percentile of the stages' time together; None where none was told.
    """

    at: datetime
    placement: str | None
    arm: str | None
    bundle: str | None
    slates: int
    users: int
    clicked: int
    converted: int
    items: int
    items_clicked: int
    items_shown: int
    shown_clicked: int
    distinct_items: int
    took_ms: tuple[float, float] | None

    @property
    def click_rate(self) -> float:
        """Of slates: the share of whose items at least one has an event that is no refusal."""
        return self.clicked / self.slates

    @property
    def item_click_rate(self) -> float:
        """Of places served: the share that was clicked."""
        return self.items_clicked / self.items if self.items else 0.0

    @property
    def shown_click_rate(self) -> float | None:
        """Of places known to have been on the screen: the share that was clicked; None where no impression is told."""
        return self.shown_clicked / self.items_shown if self.items_shown else None

    @property
    def conversion_rate(self) -> float:
        return self.converted / self.slates


class OnlineReader:
    """Reads the logs of a `Database`."""

    def __init__(self, database: Database, catalogue: CatalogueStore) -> None:
        self._database = database
        self._catalogue = catalogue

    async def count_items(self) -> int:
        """Items that may be shown: what coverage is a share of."""
        return await self._catalogue.count()

    async def measure(self, window: Window, by: Collection[By], conversion_types: Sequence[str]) -> list[OnlineMetrics]:
        """By time, then by group, up to MOST_GROUPS; empty without slates. conversion_types: what counts as one."""
        since, until = to_micros(window.since), to_micros(window.until)
        bucket = max(1, -(-(until - since) // window.buckets))
        refused = refusing_types()
        columns = {one.value: f"s.{one.value}" if one in by else "NULL" for one in By}
        sql = _SQL.format(
            **columns, refused=_marks(refused), conversions=_marks(conversion_types), impression=IMPRESSION
        )
        parameters = (since, bucket, *refused, *refused, *conversion_types, since, until, MOST_GROUPS)
        rows = await self._database.read_aside(sql, parameters)
        return [_to_metrics(row, since, bucket) for row in rows]


_SQL = """
    WITH slate AS MATERIALIZED (
        SELECT s.slate_id, (s.served_at - ?) / ? AS bucket, {placement} AS placement, {arm} AS arm, {bundle} AS bundle,
            s.user_id, s.items,
            (SELECT sum(value) FROM json_each(s.served_by, '$.took_ms')) AS took_ms,
            (SELECT count(DISTINCT e.item_id) FROM events e
                WHERE e.slate_id = s.slate_id AND e.type NOT IN ({refused})
                AND e.item_id IN (SELECT json_extract(value, '$[0]') FROM json_each(s.items))) AS items_clicked,
            (SELECT count(DISTINCT shown.value) FROM observations o, json_each(o.items) shown
                WHERE o.slate_id = s.slate_id AND o.type = '{impression}'
                AND shown.value IN (SELECT json_extract(value, '$[0]') FROM json_each(s.items))
                AND shown.value NOT IN (SELECT e.item_id FROM events e
                    WHERE e.slate_id = s.slate_id AND e.type NOT IN ({refused}))) AS only_shown,
            EXISTS (SELECT 1 FROM observations o
                WHERE o.slate_id = s.slate_id AND o.type = '{impression}') AS is_told,
            EXISTS (SELECT 1 FROM events e
                WHERE e.slate_id = s.slate_id AND e.type IN ({conversions})) AS converted
        FROM slates s WHERE s.served_at >= ? AND s.served_at < ?
    ),
    shown AS (
        SELECT bucket, placement, arm, bundle, count(*) AS items,
            count(DISTINCT json_extract(place.value, '$[0]')) AS distinct_items
        FROM slate, json_each(slate.items) place GROUP BY 1, 2, 3, 4
    ),
    ranked AS (
        SELECT bucket, placement, arm, bundle, took_ms,
            row_number() OVER (PARTITION BY bucket, placement, arm, bundle ORDER BY took_ms) AS place,
            count(*) OVER (PARTITION BY bucket, placement, arm, bundle) AS n
        FROM slate WHERE took_ms IS NOT NULL
    ),
    latency AS (
        SELECT bucket, placement, arm, bundle,
            max(CASE WHEN place <= (n + 1) / 2 THEN took_ms END) AS median,
            max(CASE WHEN place <= (n * 95 + 99) / 100 THEN took_ms END) AS high
        FROM ranked GROUP BY 1, 2, 3, 4
    ),
    counted AS (
        SELECT bucket, placement, arm, bundle, count(*) AS slates, count(DISTINCT user_id) AS users,
            sum(items_clicked > 0) AS clicked, sum(converted) AS converted, sum(items_clicked) AS items_clicked,
            sum(is_told * (only_shown + items_clicked)) AS items_shown, sum(is_told * items_clicked) AS shown_clicked
        FROM slate GROUP BY 1, 2, 3, 4
    )
    SELECT c.bucket, c.placement, c.arm, c.bundle, c.slates, c.users, c.clicked, c.converted,
        coalesce(shown.items, 0), c.items_clicked, c.items_shown, c.shown_clicked,
        coalesce(shown.distinct_items, 0), latency.median, latency.high
    FROM counted c
    LEFT JOIN shown ON (c.bucket, c.placement, c.arm, c.bundle)
        IS (shown.bucket, shown.placement, shown.arm, shown.bundle)
    LEFT JOIN latency ON (c.bucket, c.placement, c.arm, c.bundle)
        IS (latency.bucket, latency.placement, latency.arm, latency.bundle)
    ORDER BY 1, 2, 3, 4 LIMIT ?
"""


def _to_metrics(row: tuple[Any, ...], since: int, bucket: int) -> OnlineMetrics:
    number, placement, arm, bundle, slates, users, clicked, converted, items, *counts, mid, high = row
    items_clicked, items_shown, shown_clicked, distinct = counts
    return OnlineMetrics(
        at=from_micros(since + number * bucket),
        placement=placement,
        arm=arm,
        bundle=bundle,
        slates=slates,
        users=users,
        clicked=clicked,
        converted=converted,
        items=items,
        items_clicked=items_clicked,
        items_shown=items_shown,
        shown_clicked=shown_clicked,
        distinct_items=distinct,
        took_ms=None if mid is None or high is None else (mid, high),
    )


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
