"""How many candidates each source may propose where no placement says otherwise."""

from collections.abc import Mapping

from app.domain import Source

QUOTAS: Mapping[str, int] = {
    Source.STEER: 50,
    Source.POPULAR: 50,
    Source.COVISITED: 50,
    Source.TRENDING: 20,
    Source.FRESH: 20,
    Source.COLD: 20,
}
"""Beside the rows of the intent, these change no order by score: what an interest scores highest, it finds itself. They
matter where diversity, novelty, exploration or a placement look further than the best. Similar users cost the most and
are left to placements."""
PLUGIN_QUOTA = 50


def default_quotas(candidates: int, k: int, *, nobody: bool, plugins: tuple[str, ...] = ()) -> dict[str, int]:
    """Quota of each source. candidates: asked of each row of an intent, or k if that is more. nobody: no row is."""
    rows = max(candidates, k)
    quotas = {Source.INTERESTS: rows, Source.WORDS: rows, **QUOTAS, **dict.fromkeys(plugins, PLUGIN_QUOTA)}
    return {**quotas, Source.POPULAR: rows} if nobody else quotas
