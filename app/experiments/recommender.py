"""The main path with what is tried out around it: the arm of an experiment before it, shadow traffic after it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from time import perf_counter
from typing import Protocol

from app.domain import Item, ItemId, RequestCheck, Slate, SlateRequest
from app.experiments.trials import Assigned, Trials
from app.rollout.shadow import Shadow
from app.slates.asked import next_request
from app.slates.store import SlateStore


class MainPath(Protocol):
    """`app.recommender.Recommender`: the main path of one bundle."""

    async def recommend(self, request: SlateRequest, first_position: int = 1) -> Slate: ...

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
        """As its arm has it. Raises InvalidFilter, UnknownPlacement."""
        return await self._answer(self._trials.assign(request))

    async def recommend_page(self, requests: Sequence[SlateRequest]) -> list[Slate]:
        """Slates of one page, no item on it twice: the earlier ones choose first. Each is in an arm of its own. Raises
        as `recommend`."""
        slates: list[Slate] = []
        for request in requests:
            shown = frozenset(place.item.item_id for slate in slates for place in slate.items)
            slates.append(await self.recommend(replace(request, exclude=request.exclude | shown)))
        return slates

    async def recommend_next(self, slate_id: str, k: int | None = None) -> Slate:
        """The page after a slate: the same request of the same moment, what was shown left out. k: as before if None.

        By the bundle and in the arm of the page before, as long as that bundle is open. What the user did since counts.
        Raises UnknownSlate.
        """
        before = await self._slates.get(slate_id)
        request, first_position = next_request(before, k)
        of_arm = before.arm is not None and self._trials.is_open(before.bundle)
        return await self._answer(Assigned(request, before.bundle if of_arm else None), first_position)

    async def _answer(self, assigned: Assigned, first_position: int = 1) -> Slate:
        """first_position: of the slate's first place, where pages came before it."""
        request = assigned.request
        started = perf_counter()
        if assigned.bundle is None:
            slate = await self._own.recommend(request, first_position)
        else:
            with self._lease(assigned.bundle) as other:
                slate = await other.recommend(request, first_position)
        self._shadow.offer(request, slate, (perf_counter() - started) * 1_000, first_position)
        return slate if request.arm is None else replace(slate, served_by=replace(slate.served_by, arm=request.arm))

    async def rank(self, request: SlateRequest, listed: Sequence[ItemId | Item]) -> Slate:
        """Experiments are about slates: a list of the caller's own is ordered by the active bundle."""
        return await self._own.rank(request, listed)

    async def search(self, request: SlateRequest, breadth: int) -> Slate:
        """A search is no slate of a placement: the active bundle answers."""
        return await self._own.search(request, breadth)

    async def check(self, request: SlateRequest) -> RequestCheck:
        return await self._own.check(request)
