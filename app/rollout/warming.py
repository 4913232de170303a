"""A bundle is warmed before it answers, so that no request is the first.

What every request takes is taken beforehand: threads that torch starts at its first product, connections, columns that
filters read. And who was active lately finds their interests encoded already: interest vectors are valid for one
bundle, so the first requests of everybody after an exchange would wait for an encode, all of them at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from app.catalogue.live import LiveCatalogue
from app.domain import Context, Event, EventId, Rung, Slate, SlateRequest, UserId
from app.errors import PenchantError
from app.interests.profiles import Profiles

TOGETHER = 8
"""Users encoded at a time: the live traffic's batches take turns with these, so small ones hold nobody up."""

MOST_TURNS = 5
"""Turns through the warm-up's requests until none is answered less well than it could be. Mostly the first one does."""

NOBODY = UserId("")

log = structlog.get_logger(__name__)


async def warm_paths(
    answer: Callable[[SlateRequest], Awaitable[Slate]],
    catalogue: LiveCatalogue,
    users: Sequence[UserId],
    *,
    history_events: int,
) -> int:
    """Answer requests of every kind, each by the way and on the threads that answer them later, until none is degraded
    or MOST_TURNS are over; return the turns. Nothing is remembered of them.

    answer: the main path. users: those whose stored history is to be read. Where an answer is refused, that is logged,
    and the last turn over.
    """
    requests = _requests(catalogue, users, history_events)
    for turn in range(1, MOST_TURNS + 1):
        try:
            slates = [await answer(request) for request in requests]
        except PenchantError as error:
            log.warning("warming_refused", reason=str(error))
            return turn
        degraded = sorted({what for slate in slates for what in slate.served_by.degraded})
        if not degraded:
            return turn
    log.warning("warming_degraded", degraded=degraded)
    return MOST_TURNS


def _requests(catalogue: LiveCatalogue, users: Sequence[UserId], history_events: int) -> list[SlateRequest]:
    """Of nobody, of histories of 1, 2, 4 ... events up to the longest, of words, and of all of it at once."""
    now = datetime.now(UTC)
    slots = catalogue.index.sample(history_events).tolist()
    items = [catalogue.item_at(slot) for slot in slots]
    history = tuple(Event(EventId(f"warm-{n}"), NOBODY, item.item_id, "view", now) for n, item in enumerate(items))
    nobody = SlateRequest(Context(now), k=20, unseen=True)
    lengths = [*(2**n for n in range(len(history).bit_length())), len(history)] if history else []
    words = items[0].title if items else "anything"
    both = replace(nobody, history=history, words=words, steer=f"no {words}")
    return [
        nobody,
        *(replace(nobody, user_id=user_id) for user_id in users),
        *(replace(nobody, history=history[-length:]) for length in lengths),
        replace(nobody, words=words),
        replace(both, filter="exists(title)", diversity=0.5, explain=True),
    ]


async def warm_users(profiles: Profiles, user_ids: Sequence[UserId]) -> int:
    """Put the users' interest vectors into the bundle's cache; return how many are there. Never raises for one user."""
    warmed = 0
    for start in range(0, len(user_ids), TOGETHER):
        group = user_ids[start : start + TOGETHER]
        context = Context(datetime.now(UTC))
        read = await asyncio.gather(*(profiles.read(SlateRequest(context, 1, user_id)) for user_id in group))
        warmed += sum(profile.rung in {Rung.FRESH, Rung.CACHED} for profile in read)
    return warmed
