"""Items like an item, and users like a user."""

import asyncio
from dataclasses import dataclass

import numpy as np

from app.catalogue.live import LiveCatalogue
from app.crowd.crowd import Crowd
from app.crowd.neighbours import find_alike
from app.domain import BoolArray, FloatArray, IntArray, Item, ItemId, Likeness, Rung, SlateRequest, UserId
from app.errors import UnknownItem, UnknownUser
from app.history.store import HistoryStore
from app.interests.intent import IntentReader
from app.interests.never import NeverFilter
from app.reranking.greedy import unit
from app.scoring.scorer import Scorer

CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class SimilarItem:
    """score: the sum of its parts, text, behaviour and taste; comparable within one answer only."""

    item: Item
    score: float
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class SimilarItems:
    """Most similar first. rung: how the taste of who asks came about; None where nobody does."""

    items: tuple[SimilarItem, ...]
    rung: Rung | None
    degraded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SimilarUser:
    """likeness: 0 to 1. shared_items: liked items in common, of the events that are kept in memory."""

    user_id: UserId
    likeness: float
    shared_items: int


class SimilarityFinder:
    """Compares items by their vectors and by who liked them; users by what they liked."""

    def __init__(
        self,
        catalogue: LiveCatalogue,
        crowd: Crowd,
        scorer: Scorer,
        intents: IntentReader,
        histories: HistoryStore,
        never: NeverFilter,
    ) -> None:
        self._catalogue = catalogue
        self._crowd = crowd
        self._scorer = scorer
        self._intents = intents
        self._histories = histories
        self._never = never

    async def items(self, item_id: ItemId, by: Likeness, asker: SlateRequest, user_impact: float) -> SimilarItems:
        """Up to asker.k items like the item, which is not among them, nor what the asker never wants. Raises
        UnknownItem.

        user_impact: weight of the taste of who asks, 0 to 1, beside 1 - user_impact of the likeness. It counts only
        where the asker is somebody of whom something is known.
        """
        slot = self._catalogue.find_slot(item_id)
        if slot is None or not self._catalogue.is_served(item_id):
            raise UnknownItem(f"the catalogue holds no item {item_id!r}: PUT it first, or look at the spelling")
        slots = await self._candidates(
            slot, item_id, by, await self._never.removed(await self._intents.edits_of(asker))
        )
        vectors = self._catalogue.index.gather(slots)
        text, behaviour = self._compare(slot, item_id, slots, vectors, by)
        taste, rung, degraded = await self._taste(asker, vectors, user_impact)
        weight = user_impact if taste is not None else 0.0
        parts = {"text": (1 - weight) * text, "behaviour": (1 - weight) * behaviour}
        if taste is not None:
            parts["taste"] = weight * taste
        score = np.sum(list(parts.values()), axis=0)
        best = np.argsort(-score, kind="stable")[: asker.k]
        return SimilarItems(
            tuple(
                SimilarItem(
                    self._catalogue.item_at(int(slots[place])),
                    float(score[place]),
                    {name: float(part[place]) for name, part in parts.items()},
                )
                for place in best
            ),
            rung,
            degraded,
        )

    async def users(self, user_id: UserId, k: int) -> list[SimilarUser]:
        """Up to k users, the most alike first. Raises UnknownUser. None whose events were erased since."""
        if not await self._histories.knows(user_id):
            raise UnknownUser(f"no event of user {user_id!r} is stored: send some to POST /v1/events first")
        user = self._crowd.log.user_code_of(user_id)
        if user is None:
            return []
        view = self._crowd.log.view()
        alike = await asyncio.to_thread(lambda: find_alike(view, np.unique(view.items[view.users == user]), k, user))
        return [
            SimilarUser(other, float(likeness), int(shared))
            for code, likeness, shared in zip(alike.users, alike.likeness, alike.shared, strict=True)
            if await self._histories.knows(other := view.user_ids[code])
        ]

    async def _candidates(self, slot: int, item_id: ItemId, by: Likeness, never: IntArray) -> IntArray:
        """What either comparison finds: the nearest by text and by learned behaviour, and what was liked together.

        never: slots that are left out.
        """
        index = self._catalogue.index
        eligible: BoolArray = index.served()
        eligible[slot] = False
        eligible[never] = False
        own = index.gather(np.array([slot]))[0]
        rows = np.zeros((2, len(own)), dtype=np.float32)
        texts, learned = self._scorer.shape.texts, self._scorer.shape.behaviour
        rows[0, texts] = own[texts]
        rows[1, learned] = own[learned] * self._catalogue.met_at(np.array([slot]))
        wanted = {Likeness.TEXT: rows[:1], Likeness.BEHAVIOUR: rows[1:], Likeness.BOTH: rows}[by]
        found = await index.find(wanted, CANDIDATES, eligible)
        if by is not Likeness.TEXT:
            together = self._crowd.covisited([item_id])[0]
            together = together[(together >= 0) & (together < len(eligible))]
            found.append(together[eligible[together]])
        return np.unique(np.concatenate(found))

    def _compare(
        self, slot: int, item_id: ItemId, slots: IntArray, vectors: FloatArray, by: Likeness
    ) -> tuple[FloatArray, FloatArray]:
        """(C,) shares of text and behaviour in the likeness, each already weighed.

        Behaviour is the mean of two cosines: of the learned ID blocks, where both items have their own, and of who
        liked both items lately.
        """
        own = self._catalogue.index.gather(np.array([slot]))
        texts, behaved = self._scorer.shape.texts, self._scorer.shape.behaviour
        text = (unit(vectors[:, texts]) @ unit(own[:, texts])[0]).astype(np.float32)
        met = self._catalogue.met_at(np.append(slots, slot))
        learned = unit(vectors[:, behaved]) @ unit(own[:, behaved])[0] * (met[:-1] & met[-1])
        found, strength = self._crowd.covisited([item_id])
        strength_of = dict(zip(found.tolist(), strength.tolist(), strict=True))
        counted = np.array([strength_of.get(each, 0.0) for each in slots.tolist()], dtype=np.float32)
        behaviour = (0.5 * learned + 0.5 * counted).astype(np.float32)
        share = {Likeness.TEXT: 1.0, Likeness.BEHAVIOUR: 0.0, Likeness.BOTH: 0.5}[by]
        return share * text, (1 - share) * behaviour

    async def _taste(
        self, asker: SlateRequest, vectors: FloatArray, user_impact: float
    ) -> tuple[FloatArray | None, Rung | None, tuple[str, ...]]:
        """(C,) what the asker would make of the candidates, 0 for the worst of them to 1 for the best."""
        if asker.user_id is None or user_impact == 0:
            return None, None, ()
        intent = await self._intents.read(asker)
        if not len(intent.interests) or not len(vectors):
            return None, intent.rung, intent.degraded
        query = self._scorer.query(intent.interests, asker.context, intent.last_event_at_s)
        total = self._scorer.score(query, vectors).total
        spread = max(float(np.ptp(total)), 1e-9)
        return ((total - total.min()) / spread).astype(np.float32), intent.rung, intent.degraded
