"""A user's id as a hash, for keys and notices that must not hold the id itself."""

from hashlib import blake2b


def user_digest(user_id: str) -> str:
    """32 hexadecimal digits: of a fixed length, whatever the id."""
    return blake2b(user_id.encode(), digest_size=16).hexdigest()
