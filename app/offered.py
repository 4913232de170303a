"""What other packages offer under an entry point group: all plug-ins are found and refused alike."""

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from app.errors import SettingsError

Made = TypeVar("Made")


def load_offered(
    group: str, kind: str, make: Callable[[Any], Made], *, verb: str = "loaded"
) -> Iterator[tuple[EntryPoint, Made]]:
    """Each entry of the group, in the order of names, with what `make` makes of the object that it names.

    kind, verb: for the refusal, "the candidate source ... cannot be made". Raises SettingsError where one fails: what
    somebody installed and what then silently does nothing would be worse than no start.
    """
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        try:
            made = make(entry.load())
        except Exception as error:
            raise SettingsError(
                f"the {kind} {entry.name!r} ({entry.value}) cannot be {verb}: {error!r}. Mend or uninstall it"
            ) from error
        yield entry, made
