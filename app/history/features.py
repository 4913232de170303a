"""Features of a context as the stores keep them: JSON, one text for one set in whatever order it was told."""

import json
from collections.abc import Mapping
from functools import lru_cache

Features = frozenset[tuple[str, str]]
"""Names with their values: equal, and found again, in any order."""
NONE: Features = frozenset()
REMEMBERED = 4_096
"""Sets that need not be read again. There are few, and each belongs to many events."""


def to_text(features: Mapping[str, str]) -> str | None:
    """None for no features."""
    return json.dumps(dict(features), ensure_ascii=False, separators=(",", ":"), sort_keys=True) if features else None


@lru_cache(REMEMBERED)
def from_text(text: str | None) -> Features:
    return NONE if text is None else frozenset(json.loads(text).items())
