"""A request to candidates: each source proposes its quota; what several propose is one candidate that names them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import structlog

from app.domain import BoolArray, Candidates, IntArray, SlateRequest, Source
from app.interests.intent import Intent
from app.placements.placement import Placement
from app.reranking.rules import sponsored_places
from app.retrieval.index import ItemIndex
from app.retrieval.quotas import default_quotas
from app.retrieval.sources.base import Ask, CandidateSource
from app.scoring.scorer import Query
from app.telemetry import count_candidates, time_source

ROWS = (Source.INTERESTS, Source.WORDS, Source.POPULAR)
"""Sources that put rows to the index: what they find is the best by score, so it is the best within a group too."""

log = structlog.get_logger()


class Retriever:
    """Asks the sources and merges what they propose."""

    def __init__(
        self, index: ItemIndex, sources: Sequence[CandidateSource], *, candidates: int, plugins: tuple[str, ...] = ()
    ) -> None:
        """candidates: asked of each row of an intent. plugins: names of the sources that are not ours."""
        self._index = index
        self._sources = {source.name: source for source in sources}
        self._candidates = candidates
        self._plugins = plugins

    @property
    def source_names(self) -> tuple[str, ...]:
        """What a placement may give quotas to."""
        return tuple(name for name in self._sources if name not in {Source.PINNED, Source.SPONSORED})

    async def retrieve(
        self,
        request: SlateRequest,
        placement: Placement,
        intent: Intent,
        query: Query,
        groups: Sequence[BoolArray | None],
    ) -> tuple[Candidates, tuple[str, ...]]:
        """Candidates in the order of their slots, which says nothing, and what was missing.

        groups: the eligible slots in one mask, or parted into groups that rules treat unlike (`app.scoring.rules`):
        the intent's own rows are then asked for the best of each.

        Where the sources propose fewer than k items, what is popular is added: a shelf whose source has run dry shows
        something else and says so, rather than nothing. A source that fails is told of as "source_<name>_failed".
        """
        masks = [self._index.served(group) for group in groups]
        ask = Ask(request, placement, intent, query, np.logical_or.reduce(masks))
        quotas = self._quotas(ask)
        found = Proposals()
        failed = [name for name, quota in quotas.items() if quota and not await self._propose(name, ask, quota, found)]
        if len(masks) > 1:
            for name in (name for name in ROWS if quotas.get(name) and name not in failed):
                for mask in masks:
                    await self._propose(name, replace(ask, eligible=mask), quotas[name], found)
        if len(found) < request.k and Source.POPULAR not in failed:
            failed += [] if await self._fill(ask, found) else [Source.POPULAR]
        return found.merged(), tuple(f"source_{name}_failed" for name in failed)

    def _quotas(self, ask: Ask) -> dict[str, int]:
        """What the placement says, or the default; then what it puts forward itself."""
        quotas = dict(ask.placement.sources or {})
        if ask.placement.sources is None:
            nobody = Source.POPULAR in ask.intent.sources
            quotas = default_quotas(self._candidates, ask.request.k, nobody=nobody, plugins=self._plugins)
        if ask.placement.pins:
            quotas[Source.PINNED] = len(ask.placement.pins)
        if ask.placement.sponsored is not None:
            quotas[Source.SPONSORED] = len(sponsored_places(ask.request.k, ask.placement.sponsored.share))
        return quotas

    async def _fill(self, ask: Ask, found: "Proposals") -> bool:
        """Popular items up to k candidates and no more, so that they crowd nothing out that the sources proposed."""
        popular = Proposals()
        done = await self._propose(Source.POPULAR, ask, ask.request.k, popular)
        found.add_missing(popular, ask.request.k)
        return done

    async def _propose(self, name: str, ask: Ask, quota: int, found: "Proposals") -> bool:
        source = self._sources.get(name)
        if source is None:
            return True
        try:
            with time_source(name):
                slots = await source.propose(ask, quota)
        except Exception:
            log.exception("source_failed", source=name)
            return False
        count_candidates(name, len(slots))
        found.add(name, slots)
        return True


class Proposals:
    """Candidates of several sources, merged."""

    def __init__(self) -> None:
        self._found: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(self, name: str, slots: IntArray | Iterable[int]) -> None:
        for slot in slots.tolist() if isinstance(slots, np.ndarray) else slots:
            named = self._found.setdefault(slot, [])
            if name not in named:
                named.append(name)

    def add_missing(self, others: "Proposals", up_to: int) -> None:
        """Of the others those that are not here yet, the first ones first, until there are `up_to`."""
        for slot, named in others._found.items():
            if len(self._found) >= up_to:
                return
            self._found.setdefault(slot, named)

    def merged(self) -> Candidates:
        ordered = sorted(self._found)
        return Candidates(np.array(ordered, dtype=np.int64), tuple(tuple(self._found[slot]) for slot in ordered))
