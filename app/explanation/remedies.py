"""What would bring an item into a slate: an event less, a phrase to steer by, another context. Each is tried, none is
guessed.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

from app.catalogue.live import LiveCatalogue
from app.domain import Context, FloatArray
from app.explanation.place import Remedy
from app.explanation.ranking import Standing
from app.explanation.situation import Situation, SituationReader
from app.interests.intent import rows_of
from app.interests.phrases import Phrasebook
from app.scoring.context import ContextCodes
from app.scoring.prior import BUCKET_NAMES, bucket_of

WEIGHTS = (0.25, 0.5, 0.75)
REMEDIES_EACH = 2
QUARTER = timedelta(hours=6)


class RemedyFinder:
    """Tries changes one at a time, and tells those that lift the item, the highest rank first."""

    def __init__(
        self, situations: SituationReader, catalogue: LiveCatalogue, phrasebook: Phrasebook, context: ContextCodes
    ) -> None:
        self._situations = situations
        self._catalogue = catalogue
        self._phrasebook = phrasebook
        self._context = context

    async def find(self, situation: Situation, slot: int, now: Standing) -> tuple[Remedy, ...]:
        """now: where the item stands unchanged. At most REMEDIES_EACH of a kind. Raises Overloaded."""
        steered = await self._steered(situation, slot)
        return await asyncio.to_thread(self._try, situation, slot, now, steered)

    def _try(
        self, situation: Situation, slot: int, now: Standing, steered: list[tuple[str, float, FloatArray]]
    ) -> tuple[Remedy, ...]:
        kinds = [
            self._events(situation, slot),
            self._phrases(situation, slot, steered),
            self._contexts(situation, slot),
        ]
        told: list[Remedy] = []
        for kind in kinds:
            lifting = sorted((remedy for remedy in kind if remedy.rank < now.rank), key=lambda remedy: remedy.rank)
            told += lifting[:REMEDIES_EACH]
        return tuple(told)

    def _events(self, situation: Situation, slot: int) -> Iterator[Remedy]:
        for place, rows in situation.without.items():
            event = situation.events[place]
            rank = self._situations.stand(situation, slot, rows_of(rows, situation.spoken)).rank
            title = self.title(event.item_id)
            text = f"Without {title} in the history it would rank {rank}"
            yield self._remedy(situation, "event", text, {"event_id": event.event_id, "item_id": event.item_id}, rank)

    async def _steered(self, situation: Situation, slot: int) -> list[tuple[str, float, FloatArray]]:
        item = situation.field.vectors[slot]
        phrases = self._phrasebook.closest(item[: situation.learned.shape[1]])
        asked = [(phrase, weight) for phrase in phrases for weight in WEIGHTS]
        return [(p, w, await self._situations.respoken(situation, p, w)) for p, w in asked]

    def _phrases(
        self, situation: Situation, slot: int, steered: list[tuple[str, float, FloatArray]]
    ) -> Iterator[Remedy]:
        """Of each phrase the least weight that brings the item in, or the weight that lifts it most."""
        best: dict[str, Remedy] = {}
        for phrase, weight, rows in steered:
            known = best.get(phrase)
            if known is not None and known.enters:
                continue
            rank = self._situations.stand(situation, slot, rows).rank
            if known is None or rank < known.rank:
                text = f'Steered by "{phrase}" with a weight of {weight} it would rank {rank}'
                change: dict[str, str | float] = {"steer": phrase, "steer_weight": weight}
                best[phrase] = self._remedy(situation, "phrase", text, change, rank)
        yield from best.values()

    def _contexts(self, situation: Situation, slot: int) -> Iterator[Remedy]:
        asked = situation.request.context
        for at in _parts_of_the_week(asked.at):
            rank = self._situations.stand(situation, slot, situation.rows, Context(at, asked.features)).rank
            text = f"On a {BUCKET_NAMES[bucket_of(at)]} it would rank {rank}"
            yield self._remedy(situation, "context", text, {"at": at.isoformat()}, rank)
        for name, values in self._context.values.items():
            for value in values:
                if asked.features.get(name) != value:
                    features = {**asked.features, name: value}
                    rank = self._situations.stand(situation, slot, situation.rows, Context(asked.at, features)).rank
                    text = f"With {name} {value} it would rank {rank}"
                    yield self._remedy(situation, "context", text, {name: value}, rank)

    def title(self, item_id: str) -> str:
        slot = self._catalogue.find_slot(item_id)  # type: ignore[arg-type]
        return item_id if slot is None else self._catalogue.item_at(slot).title

    def _remedy(self, situation: Situation, kind: str, text: str, change: dict[str, str | float], rank: int) -> Remedy:
        return Remedy(kind, text, change, rank, enters=rank <= max(len(situation.record.items), 1))


def _parts_of_the_week(asked: datetime) -> list[datetime]:
    """The next time of each other part of the week: a quarter of the day, on a weekday or a weekend."""
    found: dict[int, datetime] = {}
    for quarters in range(1, 4 * 7):
        at = asked + quarters * QUARTER
        found.setdefault(bucket_of(at), at)
    found.pop(bucket_of(asked), None)
    return list(found.values())
