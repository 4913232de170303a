"""The main path: one request, told in the order in which it happens.

intent -> eligible -> query -> candidates -> scores -> slate -> reasons
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from app.catalogue.live import LiveCatalogue
from app.domain import (
    PART_NAMES,
    Candidates,
    IntArray,
    ItemId,
    Reason,
    Scores,
    ServedBy,
    Slate,
    SlateItem,
    SlateRequest,
    Source,
)
from app.explanation.explainer import Explainer
from app.filtering.eligibility import Eligibility
from app.interests.intent import Intent, IntentReader
from app.reranking.compose import order_slate
from app.retrieval.retrieve import retrieve
from app.scoring.scorer import Query, Scorer
from app.telemetry import StageTimer


class Recommender:
    """Answers slates: the order of the stages, and nothing else. Holds no state of its own."""

    def __init__(
        self,
        bundle: str,
        intents: IntentReader,
        eligibility: Eligibility,
        catalogue: LiveCatalogue,
        scorer: Scorer,
        explainer: Explainer,
        *,
        candidates: int,
    ) -> None:
        self._bundle = bundle
        self._intents = intents
        self._eligibility = eligibility
        self._catalogue = catalogue
        self._scorer = scorer
        self._explainer = explainer
        self._candidates = candidates

    async def recommend(self, request: SlateRequest) -> Slate:
        """A slate of up to k items, best first; fewer only where the catalogue has no more that may be shown."""
        timer = StageTimer()
        with timer.stage("intent"):
            intent = await self._intents.read(request)
        with timer.stage("eligible"):
            eligible = await self._eligibility.read(request)
        with timer.stage("retrieval"):
            query = self._scorer.query(intent.interests, request.context, intent.last_event_at_s)
            n = max(self._candidates, request.k)
            candidates = retrieve(self._catalogue.index, query.gated, intent.sources, n, eligible)
        return await self._serve(request, intent, query, candidates, timer)

    async def rank(self, request: SlateRequest, item_ids: Sequence[ItemId]) -> Slate:
        """The caller's own items, each once, best first. Those we do not hold are named in `unknown_items`.

        Of the request only who asks, their words and the context count: k, exclude and seen choose among candidates.
        """
        timer = StageTimer()
        with timer.stage("intent"):
            intent = await self._intents.read(request)
        with timer.stage("retrieval"):
            query = self._scorer.query(intent.interests, request.context, intent.last_event_at_s)
            found, unknown = self._catalogue.find_served(item_ids)
            candidates = Candidates(found, ((Source.CALLER,),) * len(found))
            intent = replace(intent, unknown_items=intent.unknown_items + unknown)
        return await self._serve(replace(request, k=max(1, len(found))), intent, query, candidates, timer)

    async def _serve(
        self, request: SlateRequest, intent: Intent, query: Query, candidates: Candidates, timer: StageTimer
    ) -> Slate:
        """From candidates to the answer."""
        with timer.stage("scoring"):
            scores = self._scorer.score(query, self._catalogue.index.gather(candidates.slots))
        with timer.stage("reranking"):
            chosen = order_slate(scores, request.k)
        with timer.stage("explanation"):
            reasons, unmeasured = await self._explainer.explain(request, intent, candidates, scores, chosen)
        items = self._place(candidates, scores, chosen, reasons)
        return Slate(secrets.token_hex(8), items, self._served_by(intent, unmeasured, timer))

    def _place(
        self, candidates: Candidates, scores: Scores, chosen: IntArray, reasons: Sequence[tuple[Reason, ...]]
    ) -> tuple[SlateItem, ...]:
        return tuple(
            SlateItem(
                item=self._catalogue.item_at(int(candidates.slots[candidate])),
                score=float(scores.total[candidate]),
                parts=dict(zip(PART_NAMES, scores.parts[candidate].tolist(), strict=True)),
                sources=candidates.sources[candidate],
                interest=int(scores.interest[candidate]),
                reasons=why,
            )
            for candidate, why in zip(chosen, reasons, strict=True)
        )

    def _served_by(self, intent: Intent, unmeasured: tuple[str, ...], timer: StageTimer) -> ServedBy:
        encoded_at = intent.encoded_at
        return ServedBy(
            bundle=self._bundle,
            rung=intent.rung,
            profile_age_s=None if encoded_at is None else (datetime.now(UTC) - encoded_at).total_seconds(),
            degraded=tuple(dict.fromkeys(intent.degraded + unmeasured)),
            took_ms=timer.took_ms,
            unknown_items=intent.unknown_items,
        )
