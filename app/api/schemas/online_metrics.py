"""`GET /v1/metrics/online`: what users made of what they were served."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from app.api.schemas.bundles import Times
from app.api.schemas.fields import EARLIEST, EventTime, EventType, Wire
from app.slates.online_metrics import By, Window

if TYPE_CHECKING:
    from app.slates.online_metrics import OnlineMetrics


class OnlineQuery(Wire):
    """Which slates are counted, and how they are grouped."""

    window_s: int = Field(
        86_400, ge=60, le=90 * 86_400, description="Seconds before `until`: 60 to 7,776,000 (90 days)."
    )
    until: EventTime | None = Field(None, description="End of the window. Without an offset: UTC. Default: now.")
    buckets: int = Field(1, ge=1, le=500, description="Equal parts the window is cut into, 1 to 500.")
    by: list[By] = Field(
        [], max_length=3, description="Groups: placement, arm, bundle, any of them. Default: one group."
    )
    conversion_types: list[EventType] = Field(
        ["purchase"], max_length=20, description="Events that count as a conversion. Default: purchase."
    )

    def to_window(self, now: datetime) -> Window:
        until = self.until or now + timedelta(microseconds=1)  # a slate served this very moment counts
        return Window(max(until - timedelta(seconds=self.window_s), EARLIEST), until, self.buckets)


class OnlineGroup(Wire):
    """One group of slates in one bucket of time."""

    at: datetime = Field(description="Start of the bucket.")
    placement: str | None = Field(description="Null where not grouped by it, and for requests without one.")
    arm: str | None = Field(description="experiment/arm; null where not grouped by it, and outside experiments.")
    bundle: str | None = Field(description="Null where not grouped by it.")
    slates: int = Field(description="Slates served in the bucket: at least 1.")
    users: int = Field(description="Different user ids.")
    click_rate: float = Field(
        description="Share of slates, 0 to 1, with an event on one of their items that names them and is no refusal."
    )
    item_click_rate: float = Field(description="Share of places served, 0 to 1, with such an event.")
    shown_click_rate: float | None = Field(
        description="The same of places that an impression, or a click, says were on the screen, in slates with an "
        "impression. Null where no impression was told."
    )
    conversion_rate: float = Field(description="Share of slates with an event of `conversion_types` that names them.")
    coverage: float = Field(description="Share of the catalogue that was shown at least once.")
    took_ms: Times | None = Field(description="Time of the stages together; null where slates tell none.")

    @classmethod
    def from_domain(cls, metrics: "OnlineMetrics", n_items: int) -> "OnlineGroup":
        took_ms = metrics.took_ms
        return cls(
            at=metrics.at,
            placement=metrics.placement,
            arm=metrics.arm,
            bundle=metrics.bundle,
            slates=metrics.slates,
            users=metrics.users,
            click_rate=metrics.click_rate,
            item_click_rate=metrics.item_click_rate,
            shown_click_rate=metrics.shown_click_rate,
            conversion_rate=metrics.conversion_rate,
            coverage=min(1.0, metrics.distinct_items / n_items) if n_items else 0.0,
            took_ms=None if took_ms is None else Times(p50=took_ms[0], p95=took_ms[1]),
        )


class OnlineAnswer(Wire):
    """Groups by time, then by name; only those with slates."""

    since: datetime = Field(description="Begin of the window, in UTC.")
    until: datetime = Field(description="End of the window, left out of it, in UTC.")
    groups: list[OnlineGroup] = Field(description="Empty where no slate was served.")
