"""Sources from elsewhere: any installed package may offer one under the entry point group `penchant.sources`.

    [project.entry-points."penchant.sources"]
    editors_picks = "my_package:EditorsPicks"

What it names is called with `SourceTools` and gives a `CandidateSource`. The entry's name is the source's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from app.catalogue.live import LiveCatalogue
from app.crowd.crowd import Crowd
from app.errors import SettingsError
from app.history.store import HistoryStore
from app.offered import load_offered
from app.retrieval.sources.base import CandidateSource
from app.scoring.scorer import Scorer

GROUP = "penchant.sources"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SourceTools:
    """The rooms that a source may ask. All of them belong to the event loop's thread."""

    catalogue: LiveCatalogue
    crowd: Crowd
    histories: HistoryStore
    scorer: Scorer


def load_sources(tools: SourceTools, taken: Sequence[str] = ()) -> list[CandidateSource]:
    """The sources that installed packages offer, by name. taken: names that are ours.

    Raises SettingsError where one cannot be made, has a name of ours, or another name than its entry: a source that
    somebody installed and that silently proposes nothing would be worse than no start.
    """
    sources: list[CandidateSource] = []
    for entry, source in load_offered(GROUP, "candidate source", lambda named: named(tools), verb="made"):
        if entry.name in taken or source.name != entry.name:
            raise SettingsError(
                f"the candidate source {entry.name!r} ({entry.value}) calls itself {source.name!r}: give it the name "
                f"of its entry point, and none of {', '.join(taken)}"
            )
        log.info("source_plugged_in", source=entry.name, object=entry.value)
        sources.append(source)
    return sources
