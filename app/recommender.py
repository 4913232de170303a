"""The main path: one request, told in the order in which it happens.

intent -> eligible -> query -> candidates -> scores -> slate -> reasons -> record
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from app.catalogue.listed import read_list
from app.catalogue.live import LiveCatalogue
from app.deadline import answer_within, was_cut_short
from app.domain import (
    Candidates,
    Item,
    ItemId,
    RequestCheck,
    Scores,
    ServedBy,
    Slate,
    SlateRequest,
    Source,
)
from app.errors import Overloaded
from app.explanation.explainer import Explainer
from app.filtering.eligibility import Eligibility
from app.filtering.masks import FilterMasks
from app.interests.intent import Intent, IntentReader
from app.placements.composer import Composer
from app.placements.placement import Placement
from app.placements.surface import NO_PLACEMENT, Surfaces
from app.reranking.compose import Composed, in_order, order_by_score
from app.retrieval.retrieve import Retriever
from app.scoring.relevance import keep_relevant
from app.scoring.scorer import Scorer, take
from app.slates.asked import record_of
from app.slates.places import Places
from app.slates.store import SlateStore
from app.telemetry import StageTimer


class Recommender:
    """Answers slates: the order of the stages, and nothing else. Holds no state of its own."""

    def __init__(
        self,
        bundle: str,
        surfaces: Surfaces,
        intents: IntentReader,
        eligibility: Eligibility,
        masks: FilterMasks,
        retriever: Retriever,
        catalogue: LiveCatalogue,
        scorer: Scorer,
        composer: Composer,
        explainer: Explainer,
        slates: SlateStore,
    ) -> None:
        self._bundle = bundle
        self._surfaces = surfaces
        self._intents = intents
        self._eligibility = eligibility
        self._masks = masks
        self._retriever = retriever
        self._catalogue = catalogue
        self._scorer = scorer
        self._composer = composer
        self._explainer = explainer
        self._slates = slates

    async def recommend(self, request: SlateRequest, first_position: int = 1) -> Slate:
        """A slate of up to k items, best first; where it is shorter, `warnings` says why. Raises InvalidFilter,
        UnknownPlacement.

        first_position: of its first item, where pages came before it.
        """
        timer, index = StageTimer(), self._catalogue.index
        request, placement = await self._surfaces.read(request)
        with answer_within(request.deadline_ms):
            with timer.stage("intent"):
                intent = await self._intents.read(request)
            with timer.stage("eligible"):
                eligible = await self._eligibility.read(request, intent.spoken.edits, placement.filter)
                rules = await self._masks.rules(request.boosts, request.context.at)
            with timer.stage("retrieval"):
                query = self._scorer.query(intent.interests, request.context, intent.last_event_at_s)
                groups = rules.groups(eligible)
                proposed, missing = await self._retriever.retrieve(request, placement, intent, query, groups)
                intent = replace(intent, degraded=intent.degraded + missing)
            with timer.stage("scoring"):
                scores = self._scorer.score(query, index.gather(proposed.slots))
                candidates, scores = await keep_relevant(proposed, scores, request.min_relevance, index, query.gated)
                scores = rules.apply(scores, candidates.slots)
            with timer.stage("reranking"):
                composed = await self._composer.compose(request, placement, candidates, scores, first_position)
                places = self._place(placement, candidates, scores, composed)
            n_irrelevant = len(proposed.slots) - len(candidates.slots)
            warnings = _warn(
                request.k, len(places.items), n_irrelevant, n_left=len(candidates.slots) - len(places.items)
            )
            slate = await self._explain(request, intent, places, warnings, timer)
        kept = not request.unseen and self._slates.keep(record_of(request, slate, first_position))
        return replace(slate, has_next=kept and len(slate.items) == request.k)

    async def rank(self, request: SlateRequest, listed: Sequence[ItemId | Item]) -> Slate:
        """The caller's own items, each once, best first; items told rather than named are scored by their text alone.

        Ids that we do not hold are named in `unknown_items`. Of the request only who asks, their words and the context
        count: what chooses among candidates has nothing to choose.
        """
        timer = StageTimer()
        with answer_within(request.deadline_ms):
            with timer.stage("intent"):
                intent = await self._intents.read(request)
            with timer.stage("retrieval"):
                query = self._scorer.query(intent.interests, request.context, intent.last_event_at_s)
                found = await read_list(self._catalogue, listed)
                intent = replace(intent, unknown_items=intent.unknown_items + found.unknown)
            with timer.stage("scoring"):
                scores = self._scorer.score(query, found.vectors)
            with timer.stage("reranking"):
                order = order_by_score(scores)
                items = tuple(found.items[place] for place in order)
                places = Places(items, ((Source.CALLER,),) * len(items), found.vectors[order], take(scores, order))
            intent = replace(intent, degraded=intent.degraded + found.degraded)
            slate = await self._explain(request, intent, places, (), timer)
        self._slates.keep(record_of(request, slate, ranked=True))
        return slate

    async def search(self, request: SlateRequest, breadth: int) -> Slate:
        """The words decide which items: the `breadth` closest to them. The taste of whoever asks decides which k of
        these come first; without any, the words do. Raises Overloaded where the words cannot be read in time."""
        timer, index = StageTimer(), self._catalogue.index
        with answer_within(request.deadline_ms):
            with timer.stage("intent"):
                intent = await self._intents.read(request)
                if not len(intent.spoken.sought):
                    raise Overloaded("the words of a search could not be read in time")
            with timer.stage("eligible"):
                eligible = await self._eligibility.read(request, intent.spoken.edits)
            with timer.stage("retrieval"):
                sought = self._scorer.plain(intent.spoken.sought)
                (slots,) = await index.find(sought, max(breadth, request.k), eligible)
                candidates = Candidates(slots, ((Source.WORDS,),) * len(slots))
            with timer.stage("scoring"):
                taste = intent.taste
                query = self._scorer.query(taste.interests, request.context, taste.last_event_at_s)
                scores = self._scorer.score(query, index.gather(slots))
            with timer.stage("reranking"):
                places = self._place(NO_PLACEMENT, candidates, scores, in_order(scores, request.k))
            warnings = _warn(request.k, len(places.items), n_irrelevant=0, n_left=0)
            slate = await self._explain(request, taste, places, warnings, timer)
        self._slates.keep(record_of(request, slate, ranked=True))
        return slate

    async def check(self, request: SlateRequest) -> RequestCheck:
        """What the request would come to. Nothing is encoded, recorded or kept. Raises InvalidFilter."""
        request, placement = await self._surfaces.read(request)
        edits = await self._intents.edits_of(request)
        eligible = await self._eligibility.read(request, edits, placement.filter)
        rules = await self._masks.rules(request.boosts, request.context.at)
        served = self._catalogue.index.served(eligible)
        filters = [request.filter, *(boost.filter for boost in request.boosts)]
        unknown = [name for text in filters if text for name in await self._masks.unknown_names(text)]
        return RequestCheck(
            n_eligible=int(np.count_nonzero(served)),
            n_boosted=rules.count(served),
            unknown_items=self._catalogue.find_served([*(e.item_id for e in request.history), *request.exclude])[1],
            unknown_properties=tuple(dict.fromkeys(unknown)),
        )

    def _place(self, placement: Placement, candidates: Candidates, scores: Scores, composed: Composed) -> Places:
        slots = candidates.slots[composed.chosen]
        return Places(
            items=tuple(self._catalogue.item_at(slot) for slot in slots.tolist()),
            sources=tuple(candidates.sources[place] for place in composed.chosen),
            vectors=self._catalogue.index.gather(slots),
            scores=take(scores, composed.chosen),
            propensity=composed.propensity,
            rules=composed.rules,
            labels=tuple(placement.label_of(rules) for rules in composed.rules),
        )

    async def _explain(
        self, request: SlateRequest, intent: Intent, places: Places, warnings: tuple[str, ...], timer: StageTimer
    ) -> Slate:
        """From the places to the answer."""
        with timer.stage("explanation"):
            reasons, unmeasured = await self._explainer.explain(request, intent, places.vectors, places.scores)
        degraded = intent.degraded + unmeasured + (("deadline",) if was_cut_short() else ())
        encoded_at = intent.encoded_at
        served_by = ServedBy(
            bundle=self._bundle,
            rung=intent.rung,
            profile_age_s=None if encoded_at is None else (datetime.now(UTC) - encoded_at).total_seconds(),
            degraded=tuple(dict.fromkeys(degraded)),
            took_ms=timer.took_ms,
            unknown_items=intent.unknown_items,
            warnings=warnings,
        )
        return Slate(secrets.token_hex(8), places.with_reasons(reasons), served_by, request.return_properties)


def _warn(k: int, n_placed: int, n_irrelevant: int, n_left: int) -> tuple[str, ...]:
    """Why a slate is shorter than it was asked to be. n_left: candidates that rules kept out of it."""
    if n_placed >= k:
        return ()
    why = {"capped": n_left, "few_relevant": n_irrelevant}
    return tuple(name for name, n in why.items() if n) or ("few_eligible",)
