"""A bundle is warmed before it answers: who was active lately finds their interests encoded already.

Interest vectors are valid for one bundle, so without it the first request of everybody after an exchange would wait for
an encode, all of them at once.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from app.domain import Context, Rung, SlateRequest, UserId
from app.interests.profiles import Profiles

TOGETHER = 8
"""Users encoded at a time: the live traffic's batches take turns with these, so small ones hold nobody up."""


async def warm_users(profiles: Profiles, user_ids: Sequence[UserId]) -> int:
    """Put the users' interest vectors into the bundle's cache; return how many are there. Never raises for one user."""
    warmed = 0
    for start in range(0, len(user_ids), TOGETHER):
        group = user_ids[start : start + TOGETHER]
        context = Context(datetime.now(UTC))
        read = await asyncio.gather(*(profiles.read(SlateRequest(context, 1, user_id)) for user_id in group))
        warmed += sum(profile.rung in {Rung.FRESH, Rung.CACHED} for profile in read)
    return warmed
