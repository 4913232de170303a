"""Refusals that HTTP itself brings about, as leaves of the one tree of errors."""

from app.errors import PenchantError


class Unforeseen(PenchantError):
    """A fault of ours that nobody foresaw. The server's log tells its place under the same request id: report it."""


class MalformedBody(PenchantError):
    """The body could not be read at all. Send UTF-8 JSON."""

    status = 400
    slug = "malformed-body"
    title = "The body is not JSON"


class KeyRefused(PenchantError):
    """This server asks for an API key. Send it in the header `X-API-Key`."""

    status = 401
    slug = "key-refused"
    title = "No API key, or not the right one"
    challenge = "X-API-Key"


class KeyTooNarrow(PenchantError):
    """The key is one of this server's, but does not open this route: it wants the key of the setting admin_api_key."""

    status = 403
    slug = "key-too-narrow"
    title = "This key does not open this route"


class RequestTooSlow(PenchantError):
    """The request did not arrive whole within the setting receive_s. Send it again over a better line."""

    status = 408
    slug = "too-slow"
    title = "The request did not arrive in time"


class NoSuchRoute(PenchantError):
    """Nothing is served at this path. /docs lists what is."""

    status = 404
    slug = "no-such-route"
    title = "Nothing is served here"


class MethodNotAllowed(PenchantError):
    """The path exists, the method does not. The Allow header lists those that do."""

    status = 405
    slug = "method-not-allowed"
    title = "This method is not served here"


class BodyTooLarge(PenchantError):
    """The body is larger than the server's setting max_body_bytes allows. Send it in parts."""

    status = 413
    slug = "body-too-large"
    title = "The body is too large"


class UnsupportedMediaType(PenchantError):
    """Bodies are JSON. Send the header `Content-Type: application/json`."""

    status = 415
    slug = "unsupported-media-type"
    title = "The body's content type is not JSON"


class TooManyRequests(PenchantError):
    """More requests than the setting rate_limit grants to one key or address. Wait as long as Retry-After says."""

    status = 429
    slug = "too-many-requests"
    title = "More requests than you are granted"
