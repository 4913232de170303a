"""Rules from elsewhere: any installed package may offer one under the entry point group `penchant.rules`.

    [project.entry-points."penchant.rules"]
    one_of_a_series = "my_package:one_of_a_series"

What it names is called with each request and its candidates' items, and gives caps over them.
"""

from collections.abc import Callable, Sequence

import structlog

from app.domain import Item, SlateRequest
from app.offered import load_offered
from app.reranking.rules import Cap

GROUP = "penchant.rules"

Rule = Callable[[SlateRequest, Sequence[Item]], Sequence[Cap]]
"""Of C candidates' items, in order: caps whose `members` have C entries. Called for every slate: keep it quick."""

log = structlog.get_logger()


def load_rules() -> list[Rule]:
    """The rules that installed packages offer, by name. Raises SettingsError where one cannot be loaded."""
    rules: list[Rule] = []
    for entry, rule in load_offered(GROUP, "re-ranking rule", lambda rule: rule):
        rules.append(rule)
        log.info("rule_plugged_in", rule=entry.name, object=entry.value)
    return rules
