"""Experiments in the durable store, and what the logs say of their arms."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from app.errors import ExperimentExists, UnknownExperiment
from app.experiments.experiment import Arm, Experiment
from app.history.weights import refusing_types
from app.storage.database import Database
from app.storage.timestamps import from_micros, to_micros


class ExperimentStore:
    """Experiments in a `Database`. Every change gets the next seq, a deletion too, for the processes to follow."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, experiment: Experiment, *, create: bool = False) -> bool:
        """Create or replace; True if created. create: raises ExperimentExists instead of replacing."""
        row = (experiment.name, _to_json(experiment))
        return await self._database.write(lambda connection: _put(connection, row, create=create))

    async def delete(self, name: str) -> None:
        """Raises UnknownExperiment."""
        await self._database.write(lambda connection: _delete(connection, name))

    def last_seq(self) -> int:
        """The newest change, 0 when there is none: one step down an index."""
        return int(self._database.read("SELECT coalesce(max(seq), 0) FROM experiments")[0][0])

    def all(self) -> list[Experiment]:
        """By name."""
        rows = self._database.read("SELECT body FROM experiments WHERE body IS NOT NULL ORDER BY name")
        return [_from_json(body) for (body,) in rows]

    async def count(self, experiment: Experiment) -> dict[str, tuple[int, int, int]]:
        """Arm name -> slates, units and successes since the experiment started."""
        labels = {experiment.label(arm): arm.name for arm in experiment.arms}
        types, negated = experiment.success_types or refusing_types(), not experiment.success_types
        sql = _COUNT.format(labels=_marks(labels), types=f"{'NOT ' if negated else ''}IN ({_marks(types)})")
        rows = await self._database.read_aside(sql, (*types, *labels, to_micros(experiment.started_at)))
        return {labels[label]: (slates, units, successes) for label, slates, units, successes in rows}


_COUNT = """
    SELECT arm, sum(slates), count(*), sum(success) FROM (
        SELECT arm, count(*) AS slates, max(EXISTS (
            SELECT 1 FROM events WHERE events.slate_id = slates.slate_id AND events.type {types}
        )) AS success
        FROM slates WHERE arm IN ({labels}) AND served_at >= ?
        GROUP BY arm, coalesce(user_id, json_extract(request, '$.session_id'))
    ) GROUP BY arm
"""
_NEXT = "(SELECT coalesce(max(seq), 0) + 1 FROM experiments)"


def _put(connection: sqlite3.Connection, row: tuple[str, str], *, create: bool) -> bool:
    there = connection.execute("SELECT body FROM experiments WHERE name = ?", row[:1]).fetchone()
    exists = there is not None and there[0] is not None
    if exists and create:
        raise ExperimentExists(f"there is an experiment {row[0]!r}: PUT replaces it")
    connection.execute(f"INSERT OR REPLACE INTO experiments (name, body, seq) VALUES (?, ?, {_NEXT})", row)  # noqa: S608
    return not exists


def _delete(connection: sqlite3.Connection, name: str) -> None:
    sql = f"UPDATE experiments SET body = NULL, seq = {_NEXT} WHERE name = ? AND body IS NOT NULL"  # noqa: S608
    if not connection.execute(sql, (name,)).rowcount:
        raise unknown(name)


def unknown(name: str) -> UnknownExperiment:
    return UnknownExperiment(f"there is no experiment {name!r}: GET /v1/experiments lists them")


def _marks(values: Sequence[str] | dict[str, str]) -> str:
    return ", ".join("?" * len(values))


def _to_json(experiment: Experiment) -> str:
    return json.dumps({**asdict(experiment), "started_at": to_micros(experiment.started_at)})


def _from_json(body: str) -> Experiment:
    told = json.loads(body)
    started_at: datetime = from_micros(told.pop("started_at"))
    arms = tuple(Arm(**arm) for arm in told.pop("arms"))
    told |= {name: tuple(told[name]) for name in ("placements", "success_types")}
    return Experiment(arms=arms, started_at=started_at, **told)
