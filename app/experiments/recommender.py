"""The main path with what is tried out around it: the arm of an experiment before it, shadow traffic after it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from time import perf_counter
from typing import Protocol

from app.domain import Item, ItemId, RequestCheck, Slate, SlateRequest
from app.experiments.trials import Trials
from app.rollout.shadow import Shadow
from app.slates.store import SlateStore


class MainPath(Protocol):
    """`app.recommender.Recommender`: the main path of one bundle."""

    async def recommend(self, request: SlateRequest) -> Slate: ...

    async def recommend_page(self, requests: Sequence[SlateRequest]) -> list[Slate]: ...

    async def recommend_next(self, slate_id: str, k: int | None = None) -> Slate: ...

    async def rank(self, request: SlateRequest, listed: Sequence[ItemId | Item]) -> Slate: ...

    async def search(self, request: SlateRequest, breadth: int) -> Slate: ...

    async def check(self, request: SlateRequest) -> RequestCheck: ...


class TrialRecommender:
    """own: the main path of the bundle that answers where no arm says otherwise. lease: another's, by version."""

    def __init__(
        self,
        own: MainPath,
        trials: Trials,
        lease: Callable[[str], AbstractContextManager[MainPath]],
        shadow: Shadow,
        slates: SlateStore,
    ) -> None:
        self._own = own
        self._trials = trials
        self._lease = lease
        self._shadow = shadow
        self._slates = slates

    async def recommend(self, request: SlateRequest) -> Slate:
        assigned = self._trials.assign(request)
        started = perf_counter()
        if assigned.bundle is None:
            slate = await self._own.recommend(assigned.request)
        else:
            with self._lease(assigned.bundle) as other:
                slate = await other.recommend(assigned.request)
        self._shadow.offer(assigned.request, slate, (perf_counter() - started) * 1_000)
        return _mark(slate, assigned.request.arm)

    async def recommend_page(self, requests: Sequence[SlateRequest]) -> list[Slate]:
        """Each slate in an arm of its own where that arm is one of rules: one bundle answers a whole page."""
        assigned = [self._trials.assign(request) for request in requests]
        asked = [one.request if one.bundle is None else told for one, told in zip(assigned, requests, strict=True)]
        slates = await self._own.recommend_page(asked)
        return [_mark(slate, request.arm) for slate, request in zip(slates, asked, strict=True)]

    async def recommend_next(self, slate_id: str, k: int | None = None) -> Slate:
        """By the bundle and the arm of the page before it, as long as that bundle is open."""
        before = await self._slates.get(slate_id)
        if before.arm is not None and self._trials.is_open(before.bundle):
            with self._lease(before.bundle) as other:
                return _mark(await other.recommend_next(slate_id, k), before.arm)
        return _mark(await self._own.recommend_next(slate_id, k), before.arm)

    async def rank(self, request: SlateRequest, listed: Sequence[ItemId | Item]) -> Slate:
        """Experiments are about slates: a list of the caller's own is ordered by the active bundle."""
        return await self._own.rank(request, listed)

    async def search(self, request: SlateRequest, breadth: int) -> Slate:
        """A search is no slate of a placement: the active bundle answers."""
        return await self._own.search(request, breadth)

    async def check(self, request: SlateRequest) -> RequestCheck:
        return await self._own.check(request)


def _mark(slate: Slate, arm: str | None) -> Slate:
    return slate if arm is None else replace(slate, served_by=replace(slate.served_by, arm=arm))
