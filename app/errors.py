"""One tree of errors, each with its HTTP status and its stable problem type.

A message says what came, what was expected and what to do. `app.api.problems` turns the tree into RFC 9457 answers;
nothing else knows about that.
"""

from typing import ClassVar


class PenchantError(Exception):
    """Root of the tree. `slug` ends the problem's `type` URI; `title` is the same for every occurrence.

    retry_after_s and challenge become the headers Retry-After and WWW-Authenticate where they are not None.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong on our side"
    retry_after_s: ClassVar[int | None] = None
    challenge: ClassVar[str | None] = None


class InvalidRequest(PenchantError):
    """A field is missing, unknown, of another type or out of its range."""

    status = 422
    slug = "invalid-request"
    title = "The request is not well formed"


class InvalidFilter(PenchantError):
    """A filter, or one of a boost, cannot be read. The problem's `errors` give `position`, `excerpt` and `expected`."""

    status = 422
    slug = "invalid-filter"
    title = "A filter cannot be read"

    def __init__(self, message: str, position: int = 0, excerpt: str = "", expected: str = "") -> None:
        """position: of the first character that does not fit, from 0. excerpt: the filter around it."""
        super().__init__(message)
        self.position = position
        self.excerpt = excerpt
        self.expected = expected


class UnknownItem(PenchantError):
    """The catalogue holds no such item: it never did, or it was deleted."""

    status = 404
    slug = "unknown-item"
    title = "No such item"


class PropertyMisfit(PenchantError):
    """A property of an item is not of the type that was declared for it."""

    status = 422
    slug = "property-misfit"
    title = "A property does not have its declared type"


class UnknownImport(PenchantError):
    """No import has this id."""

    status = 404
    slug = "unknown-import"
    title = "No such import"


class ImportTooLarge(PenchantError):
    """An import has more lines than one may have. Send it in parts."""

    status = 413
    slug = "import-too-large"
    title = "Too many lines in one import"


class UnknownUser(PenchantError):
    """Not one event of this user is stored."""

    status = 404
    slug = "unknown-user"
    title = "No such user"


class UnknownSlate(PenchantError):
    """No such slate is remembered: it never was served, or it is older than slates are kept."""

    status = 404
    slug = "unknown-slate"
    title = "No such slate"


class UnknownBundle(PenchantError):
    """No bundle of this version lies beside the one that is served. GET /v1/bundles lists those that do."""

    status = 404
    slug = "unknown-bundle"
    title = "No such bundle"


class BundleUnfit(PenchantError):
    """The bundle cannot answer: a byte of it, or the answer to a golden query, is not what it was when it was built."""

    status = 409
    slug = "bundle-unfit"
    title = "This bundle cannot answer here"


class NothingBefore(PenchantError):
    """No other bundle answered before the present one."""

    status = 409
    slug = "nothing-before"
    title = "There is no bundle to go back to"


class UnknownExperiment(PenchantError):
    """There is no experiment of this name: there never was, or it was ended."""

    status = 404
    slug = "unknown-experiment"
    title = "No such experiment"


class ExperimentExists(PenchantError):
    """An experiment of this name is there already. PUT replaces it."""

    status = 409
    slug = "experiment-exists"
    title = "There is such an experiment already"


class UnknownPlacement(PenchantError):
    """No placement has this name: it was never put, or it was deleted. GET /v1/placements lists them."""

    status = 404
    slug = "unknown-placement"
    title = "No such placement"


class PlacementExists(PenchantError):
    """A placement of this name is there already. PUT changes it; POST only creates."""

    status = 409
    slug = "placement-exists"
    title = "There is a placement of this name"


class PlacementRefused(PenchantError):
    """A placement names a source or an item that is not there. Put the item first, or look at the spelling."""

    status = 409
    slug = "placement-refused"
    title = "The placement names what is not there"


class EventConflict(PenchantError):
    """An `event_id` came again with another body: a retry counts once, a rewrite is refused."""

    status = 409
    slug = "event-conflict"
    title = "This event_id already stands for another event"


class MergeRefused(PenchantError):
    """A user cannot be merged into itself, be it by way of an earlier merge."""

    status = 409
    slug = "merge-refused"
    title = "These two are one user already"


class TooManyEdits(PenchantError):
    """A user's interest edits are read with every request of theirs, so there is an end to them."""

    status = 409
    slug = "too-many-edits"
    title = "No more interest edits can be kept for this user"


class Overloaded(PenchantError):
    """A bounded queue is full: refused at once rather than served too late."""

    status = 503
    slug = "overloaded"
    title = "More work than this server can finish in time"
    retry_after_s = 1


class StoreUnavailable(PenchantError):
    """The durable store cannot be read or written: its disk is full, locked or gone."""

    status = 503
    slug = "store-unavailable"
    title = "The durable store cannot take this write"
    retry_after_s = 5


class CacheUnavailable(PenchantError):
    """The cache did not answer. The service goes on without it and says so.

    nearest: the `InterestVectors` that a nearer tier still holds for the user, made of an older history; None when
    there are none.
    """

    status = 503
    slug = "cache-unavailable"
    title = "The cache of interest vectors does not answer"
    retry_after_s = 1

    def __init__(self, message: str, nearest: object = None) -> None:
        super().__init__(message)
        self.nearest = nearest


class BundleError(PenchantError):
    """A bundle is missing, damaged or made for something else. Stops the start with one line."""

    status = 503
    slug = "bundle"
    title = "The trained bundle cannot be used"


class SettingsError(PenchantError):
    """A setting does not make sense. Stops the start with one line."""

    slug = "settings"
    title = "A setting does not make sense"


class DataError(PenchantError):
    """Data for an offline job is missing, damaged or not of the form that was announced."""

    slug = "data"
    title = "The data cannot be used"
