"""Items that another catalogue left in the store: nobody put them here, and they are served beside the meant ones.

Every bundle and every loaded data set enters its items (`CatalogueStore.seed`), and no other takes them out again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.domain import ItemId
from app.storage.database import look_into
from app.storage.schema import MIGRATIONS

MANY = 0.1
"""Share of what is served. A few items that a newer training does not know any more are no other catalogue."""

ADVICE = (
    "give each catalogue its own PENCHANT_DATA_DIR and PENCHANT_BUNDLE_DIR; items that are only out of date go by "
    "DELETE /v1/items/{item_id}"
)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """n: leftover items. n_served: of all items that are there."""

    n: int
    n_served: int

    @property
    def are_many(self) -> bool:
        return self.n > MANY * self.n_served


def count_leftovers(database: Path, known: Iterable[ItemId]) -> Leftovers:
    """Of the items that are there: those not among `known`, which came neither by a PUT nor by an import.

    Only read, also beside a server; nothing is found in a file that is not there or of an older schema. Raises
    StoreUnavailable.
    """
    if not database.exists():
        return Leftovers(0, 0)
    with look_into(database.resolve()) as store:
        if store.execute("PRAGMA user_version").fetchone()[0] != len(MIGRATIONS):
            return Leftovers(0, 0)
        came = [ItemId(row[0]) for row in store.execute(_CAME_BY_ITSELF)]
        (n_served,) = store.execute("SELECT count(*) FROM items WHERE NOT deleted").fetchone()
    return Leftovers(len(set(came) - set(known)), n_served)


_CAME_BY_ITSELF = "SELECT item_id FROM items WHERE NOT deleted AND created_at IS NULL"
