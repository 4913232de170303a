"""Every table that holds something of a user. A new one has to be named here: a test compares with the schema.

The test looks for columns whose name ends in `user_id`; a table that holds a user under another name escapes it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UserTable:
    """store: what the receipt of an erasure and the lines of an export call it.

    column: holds the user's id. unique: whether a user has one row a key, so that a merge may find the key taken: the
    row of the user who is kept then wins.
    """

    store: str
    table: str
    column: str = "user_id"
    unique: bool = False


USER_TABLES = (
    UserTable("events", "events"),
    UserTable("impressions_and_searches", "observations"),
    UserTable("slates", "slates"),
    UserTable("interest_edits", "interest_edits", unique=True),
    UserTable("merged_ids", "merged_users", "into_user_id"),
    UserTable("merged_into", "merged_users", unique=True),
    UserTable("history_marks", "history_marks", unique=True),
)
