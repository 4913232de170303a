"""Two tables of anybody's in, a data set out, and a report of everything that was dropped on the way."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from app.errors import DataError
from app.history.weights import event_weight
from app.offline.columns import ColumnMapping
from app.offline.data_report import Report, count_types, find_time_span, to_markdown
from app.offline.dataset import CONTEXT_PREFIX, TAKEN_IN
from app.offline.dataset_folder import write_dataset
from app.offline.event_schema import check_events
from app.offline.report import write_report
from app.offline.rules import Tally, event_rules, item_rules, sift
from app.offline.source_events import read_source_events
from app.offline.source_items import read_source_items


def clean(
    events_path: Path,
    items_path: Path,
    mapping: ColumnMapping,
    out_folder: Path,
    name: str,
    *,
    now: datetime | None = None,
    command: str = "penchant data clean",
) -> Report:
    """Write the data set `name` to `out_folder`, as `app.offline.dataset` reads it, with report.md and report.json.

    now: the time of cleaning, after which no event can have happened; the clock's where not given. command: what the
    report says it was written by. The same input gives the same bytes.
    Raises DataError where a table cannot be read or where nothing of it is left.
    """
    source_items = read_source_items(items_path, mapping.items)
    source_events = read_source_events(events_path, mapping.events)
    has_times = source_events.has_times

    item_frame, item_tally = sift(source_items.frame, item_rules())
    _refuse_empty(items_path, item_tally)
    rules = event_rules(source_events, source_items, item_frame, now or datetime.now(UTC))
    event_frame, event_tally = sift(source_events.frame, rules)
    _refuse_empty(events_path, event_tally)

    events = check_events(_written_columns(event_frame), has_times=has_times)
    context = _context_values(events)
    items = source_items.items(item_frame)
    report = Report(
        name=name,
        digest=write_dataset(out_folder, name, events, items, context, has_times=has_times),
        n_users=events["user_id"].n_unique(),
        n_items_without_events=len(items) - events["item_id"].n_unique(),
        events=event_tally,
        items=item_tally,
        times=find_time_span(events, has_times=has_times),
        types=count_types(events),
        context=context,
        event_columns=source_events.columns,
        item_columns=source_items.columns,
    )
    write_report(out_folder, "report", f"Data set {name}", command, report.figures(), to_markdown(report))
    return report


def _refuse_empty(path: Path, tally: Tally) -> None:
    if not tally.kept:
        reasons = ", ".join(f"{drop.rows:,} for {drop.why}" for drop in tally.drops if drop.rows) or "it has no rows"
        raise DataError(
            f"nothing is left of the {tally.read:,} rows of {path.name}: {reasons}; check the column mapping"
        )


def _written_columns(events: pl.DataFrame) -> pl.DataFrame:
    taken_in = [name for name in TAKEN_IN if events[name].is_not_null().any()]
    context = [name for name in events.columns if name.startswith(CONTEXT_PREFIX)]
    return _add_weights(events).select("user_id", "item_id", "type", "at", "value", *taken_in, "weight", *context)


def _add_weights(events: pl.DataFrame) -> pl.DataFrame:
    """Equal events are weighed once: the rule stays where it is told, a million events cost little."""
    told = ["type", "value", *TAKEN_IN]
    cases = events.select(told).unique(maintain_order=True)
    weights = [event_weight(*case) for case in cases.iter_rows()]
    weighed = cases.with_columns(weight=pl.Series(weights, dtype=pl.Float32))
    return events.join(weighed, on=told, how="left", nulls_equal=True, maintain_order="left")


def _context_values(events: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """Feature -> its values, sorted."""
    features = [name for name in events.columns if name.startswith(CONTEXT_PREFIX)]
    return {name.removeprefix(CONTEXT_PREFIX): tuple(events[name].drop_nulls().unique().sort()) for name in features}
