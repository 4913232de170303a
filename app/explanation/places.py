"""Explains the place of one item in a slate that was served, or its absence: measured in the full ranking."""

import asyncio
from dataclasses import replace

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.domain import PART_NAMES, EditOperation, ItemId, Seen, SlateRequest
from app.errors import UnknownItem
from app.explanation.place import ContextEffect, PlaceExplanation, Remedy, Verdict, WithoutEvent
from app.explanation.ranking import Standing
from app.explanation.remedies import RemedyFinder
from app.explanation.situation import Situation, SituationReader
from app.interests.intent import rows_of
from app.interests.never import NeverFilter
from app.interests.phrases import Phrasebook
from app.scoring.prior import BUCKET_NAMES, bucket_of
from app.scoring.scorer import Scorer
from app.slates.record import ServedItem
from app.slates.store import SlateStore

SAME_SCORE = 1e-3
"""Two workings-out of one score: sums of float32 in another order, and six decimals in the record."""


LIFTED_BY_SCORE = {Verdict.BELOW_CUT, Verdict.NOT_PROPOSED, Verdict.REARRANGED}
"""What a better score would help: an item that a rule keeps out stays out, whatever it scores."""


class PlaceExplainer:
    """What `GET /v1/slates/{slate_id}/items/{item_id}/explanation` calls."""

    def __init__(
        self,
        version: str,
        slates: SlateStore,
        situations: SituationReader,
        remedies: RemedyFinder,
        never: NeverFilter,
        catalogue: LiveCatalogue,
        scorer: Scorer,
        phrasebook: Phrasebook,
        *,
        candidates: int,
    ) -> None:
        self._version = version
        self._slates = slates
        self._situations = situations
        self._remedies = remedies
        self._never = never
        self._catalogue = catalogue
        self._scorer = scorer
        self._phrasebook = phrasebook
        self._candidates = candidates

    async def explain(self, slate_id: str, item_id: ItemId) -> PlaceExplanation:
        """Raises UnknownSlate, UnknownItem, Overloaded."""
        record = await self._slates.get(slate_id)
        slot = self._catalogue.find_slot(item_id)
        if slot is None:
            raise UnknownItem(f"the catalogue holds no item {item_id!r}, so no slate could show it")
        situation = await self._situations.read(record)
        served = next((item for item in record.items if item.item_id == item_id), None)
        now, evidence = await asyncio.to_thread(self._measure, situation, slot)
        verdict, remedy = await self._judge(situation, slot, now, served)
        remedies = await self._remedies.find(situation, slot, now) if verdict in LIFTED_BY_SCORE else ()
        return self._tell(situation, slot, now, served, verdict, evidence, (*remedy, *remedies))

    def _measure(self, situation: Situation, slot: int) -> tuple[Standing, tuple[WithoutEvent, ...]]:
        now = self._situations.stand(situation, slot, situation.rows)
        told = [
            self._without(
                situation, place, now, self._situations.stand(situation, slot, rows_of(rows, situation.spoken))
            )
            for place, rows in situation.without.items()
        ]
        changing = [each for each in told if each.rank_fall]
        return now, tuple(sorted(changing, key=lambda each: (-each.rank_fall, each.score)))

    def _without(self, situation: Situation, place: int, now: Standing, then: Standing) -> WithoutEvent:
        event = situation.events[place]
        title = self._remedies.title(event.item_id)
        return WithoutEvent(
            event_id=event.event_id,
            item_id=event.item_id,
            title=title,
            at=event.at,
            score=then.score,
            rank=then.rank,
            rank_fall=then.rank - now.rank,
            text=f"Without {title} this would rank {_ordinal(then.rank)}, not {_ordinal(now.rank)}",
        )

    async def _judge(
        self, situation: Situation, slot: int, now: Standing, served: ServedItem | None
    ) -> tuple[Verdict, tuple[Remedy, ...]]:
        """The verdict, and where a rule keeps the item out what would lift that rule."""
        request, item_id = situation.request, self._catalogue.item_at(slot).item_id
        enters = now.rank <= max(len(situation.record.items), 1)

        def lift(kind: str, text: str, **change: str) -> tuple[Remedy, ...]:
            return (Remedy(kind, f"{text}: it would rank {now.rank}", change, now.rank, enters),)

        if served is not None:
            return Verdict.SHOWN, ()
        if not self._catalogue.is_served(item_id):
            return Verdict.NOT_SERVED, ()
        if item_id in request.exclude:
            return Verdict.EXCLUDED, lift("exclude", "Ask without it among the excluded", exclude=item_id)
        if phrase := await self._never_of(situation, slot):
            return Verdict.NEVER, lift("edit", f'Take back "never {phrase}"', op="reset", phrase=phrase)
        if situation.allowed is not None and not (slot < len(situation.allowed) and situation.allowed[slot]):
            if await self._is_seen(request, slot):
                return Verdict.SEEN, lift("seen", "Ask with what was seen allowed", seen=Seen.ALWAYS.value)
            return Verdict.FILTERED, lift("filter", "Ask without the filter")
        if enters:
            return Verdict.REARRANGED, ()
        return (Verdict.NOT_PROPOSED if now.rank > self._candidates else Verdict.BELOW_CUT), ()

    async def _never_of(self, situation: Situation, slot: int) -> str | None:
        for edit in situation.spoken.edits:
            if edit.operation is EditOperation.NEVER:
                matches = await self._never.matches(edit)
                if slot < len(matches) and matches[slot]:
                    return edit.phrase
        return None

    async def _is_seen(self, request: SlateRequest, slot: int) -> bool:
        """Whether it is allowed as soon as what was seen is."""
        mask = await self._situations.allowed(replace(request, seen=Seen.ALWAYS))
        return mask is None or (slot < len(mask) and bool(mask[slot]))

    def _tell(
        self,
        situation: Situation,
        slot: int,
        now: Standing,
        served: ServedItem | None,
        verdict: Verdict,
        evidence: tuple[WithoutEvent, ...],
        remedies: tuple[Remedy, ...],
    ) -> PlaceExplanation:
        query = self._situations.query(situation, situation.rows)
        scores = self._scorer.score(query, situation.field.vectors[slot : slot + 1])
        scores = situation.field.rules.apply(scores, np.array([slot]))
        parts = dict(zip(PART_NAMES, scores.parts[0].tolist(), strict=True))
        winner, record = int(scores.interest[0]), situation.record
        item, gap = self._catalogue.item_at(slot), _gap(situation, now)
        return PlaceExplanation(
            slate_id=record.slate_id,
            item_id=item.item_id,
            title=item.title,
            verdict=verdict,
            text=_say(verdict, item.title, now, gap, served),
            position=None if served is None else served.position,
            rank=now.rank,
            n_eligible=situation.field.n_eligible,
            score=float(scores.total[0]),
            served_score=None if served is None else served.score,
            gap=gap,
            parts=parts,
            phrases=self._phrases(situation, winner, slot),
            evidence=evidence,
            context=self._context(situation, slot, now, parts["context"]),
            remedies=remedies,
            reproduced=record.bundle == self._version and self._reproduces(situation),
            bundle=self._version,
        )

    def _phrases(self, situation: Situation, winner: int, slot: int) -> tuple[str, ...]:
        if winner >= len(situation.learned):
            return ()
        item = situation.field.vectors[slot : slot + 1, : situation.learned.shape[1]]
        return self._phrasebook.shared(situation.rows, np.array([winner]), item)[0]

    def _context(self, situation: Situation, slot: int, now: Standing, part: float) -> ContextEffect:
        query = self._situations.query(situation, situation.rows)
        dim = query.interests.shape[1]
        opened = situation.field.stand(np.hstack([query.interests, query.gated[:, dim:]]), slot)
        text = tell_without_context(opened.rank, now.rank, BUCKET_NAMES[bucket_of(situation.request.context.at)])
        return ContextEffect(part=part, open_score=opened.score, open_rank=opened.rank, text=text)

    def _reproduces(self, situation: Situation) -> bool:
        """Whether every place of the slate scores what it was answered with."""
        found = [(self._catalogue.find_slot(item.item_id), item.score) for item in situation.record.items]
        scores = situation.field.scores(self._situations.query(situation, situation.rows).gated)
        return all(slot is not None and abs(float(scores[slot]) - score) < SAME_SCORE for slot, score in found)


def tell_without_context(rank_without: int, rank: int, when: str) -> str:
    """when: the part of the week, as "weekend evening"."""
    other = " too" if rank_without == rank else f", not {_ordinal(rank)} as on a {when}"
    return f"In no context at all it would rank {_ordinal(rank_without)}{other}"


def _gap(situation: Situation, now: Standing) -> float | None:
    """Score minus that of the slate's last place; None for an empty slate."""
    if not situation.record.items:
        return None
    return now.score - situation.record.items[-1].score


def _say(verdict: Verdict, title: str, now: Standing, gap: float | None, served: ServedItem | None) -> str:
    rank = _ordinal(now.rank)
    if verdict is Verdict.SHOWN and served is not None:
        return f"{title} is in place {served.position}; by its score it ranks {rank}"
    why = {
        Verdict.NOT_SERVED: "it was deleted or is hidden",
        Verdict.EXCLUDED: "the request excludes it",
        Verdict.NEVER: "the user said never of what it is about",
        Verdict.SEEN: "the user has met it already",
        Verdict.FILTERED: "the filter of the request or of its placement leaves it out",
        Verdict.BELOW_CUT: f"its score is {abs(gap or 0.0):.2f} below the last place's",
        Verdict.NOT_PROPOSED: "no source proposed it: others were closer to every interest",
        Verdict.REARRANGED: "its score would do; the placement, the re-ranking or what happened since left it out",
    }[verdict]
    return f"{title} is not in the slate: {why}. By its score it would rank {rank}"


def _ordinal(rank: int) -> str:
    ending = "th" if rank % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{ending}"
