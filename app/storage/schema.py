"""The tables of the durable store, as numbered migrations.

The n-th entry takes a database from version n - 1 to n (`PRAGMA user_version`); each is a tuple of single statements,
applied in one transaction by `app.storage.database`. Append to the end; never change an entry that has been released.
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # AUTOINCREMENT: a seq is never given twice, not even after its event was erased, so a watermark that was
        # reached once never stands for another history.
        """
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            event_id TEXT NOT NULL UNIQUE,
            user_id TEXT NOT NULL,
            item_id TEXT NOT NULL,
            type TEXT NOT NULL,
            at INTEGER NOT NULL,
            value REAL,
            received_at INTEGER NOT NULL
        ) STRICT
        """,
        # A user's last events. SQLite ends every index entry with the rowid, here seq: this is (user_id, at, seq).
        "CREATE INDEX events_by_time ON events (user_id, at)",
        # A user's watermark is the last seq of this index, the seen items are its item_ids: neither reads the table.
        "CREATE INDEX events_by_arrival ON events (user_id, seq, item_id)",
        """
        CREATE TABLE items (
            item_id TEXT PRIMARY KEY,
            body TEXT NOT NULL,
            vector BLOB,
            vector_version TEXT,
            deleted INTEGER NOT NULL DEFAULT 0,
            change_seq INTEGER NOT NULL UNIQUE
        ) STRICT
        """,
        "CREATE INDEX items_deleted ON items (deleted)",
    ),
    (
        """
        CREATE TABLE slates (
            slate_id TEXT PRIMARY KEY,
            served_at INTEGER NOT NULL,
            bundle TEXT NOT NULL,
            user_id TEXT,
            placement TEXT,
            arm TEXT,
            items TEXT NOT NULL,
            request TEXT NOT NULL,
            served_by TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX slates_by_time ON slates (served_at)",
        "CREATE INDEX slates_by_user ON slates (user_id, served_at) WHERE user_id IS NOT NULL",
    ),
    (
        """
        CREATE TABLE decisions (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            version TEXT NOT NULL,
            configured TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT
        """,
    ),
    (
        "ALTER TABLE events ADD COLUMN slate_id TEXT",  # of the slate that the event followed from
        "ALTER TABLE events ADD COLUMN dwell_s REAL",
        "ALTER TABLE events ADD COLUMN completion REAL",
        "CREATE INDEX events_by_slate ON events (slate_id) WHERE slate_id IS NOT NULL",
        # A user's refusals, without reading the rest of the history.
        "CREATE INDEX events_by_type ON events (user_id, type)",
        # Impressions and searches. items: JSON array of item ids.
        """
        CREATE TABLE observations (
            event_id TEXT PRIMARY KEY,
            user_id TEXT,
            type TEXT NOT NULL,
            at INTEGER NOT NULL,
            slate_id TEXT,
            items TEXT,
            words TEXT,
            received_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX observations_by_user ON observations (user_id, type, at) WHERE user_id IS NOT NULL",
        "CREATE INDEX observations_by_slate ON observations (slate_id) WHERE slate_id IS NOT NULL",
        # Ids that stand for another user by now; into_user_id is never itself merged.
        """
        CREATE TABLE merged_users (
            user_id TEXT PRIMARY KEY,
            into_user_id TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX merged_users_by_target ON merged_users (into_user_id)",
        # A watermark beyond the user's own events, for a history that changed without a new one: seq is taken from
        # the sequence of `events`, so it never stands for another history.
        "CREATE TABLE history_marks (user_id TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT",
        # Notices to all processes: whoever has this hash is erased. The id itself is not kept.
        """
        CREATE TABLE erasures (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            receipt_id TEXT NOT NULL,
            user_digest TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX erasures_by_time ON erasures (at)",
    ),
    (
        # body: NULL once it was ended, so that the processes hear of that too.
        "CREATE TABLE experiments (name TEXT PRIMARY KEY, body TEXT, seq INTEGER NOT NULL UNIQUE) STRICT",
        "CREATE INDEX slates_by_arm ON slates (arm, served_at) WHERE arm IS NOT NULL",
        """
        CREATE TABLE shadows (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            version TEXT NOT NULL,
            share REAL NOT NULL,
            at INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE shadow_answers (
            version TEXT NOT NULL,
            overlap REAL NOT NULL,
            correlation REAL,
            served_ms REAL NOT NULL,
            shadow_ms REAL NOT NULL,
            at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX shadow_answers_by_version ON shadow_answers (version)",
    ),
    (
        # The declared types of item properties, as JSON: the newest version holds.
        """
        CREATE TABLE property_schemas (
            version INTEGER PRIMARY KEY AUTOINCREMENT,
            body TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE import_jobs (
            job_id TEXT PRIMARY KEY,
            state TEXT NOT NULL,
            n_lines INTEGER NOT NULL,
            n_done INTEGER NOT NULL,
            n_created INTEGER NOT NULL,
            n_replaced INTEGER NOT NULL,
            n_failed INTEGER NOT NULL,
            errors TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            finished_at INTEGER,
            told_at INTEGER NOT NULL
        ) STRICT
        """,
    ),
    (
        # When an item was first put, in microseconds; NULL for one that came with a bundle: nobody knows.
        "ALTER TABLE items ADD COLUMN created_at INTEGER",
    ),
    (
        # body: NULL in the version that deletes. seq: the order of all changes, which every process follows.
        """
        CREATE TABLE placements (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            version INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            body TEXT,
            UNIQUE (name, version)
        ) STRICT
        """,
    ),
    (
        # What a user said of a phrase, with the phrase's text vector as the bundle `version` made it.
        """
        CREATE TABLE interest_edits (
            user_id TEXT NOT NULL,
            phrase_key TEXT NOT NULL,
            operation TEXT NOT NULL,
            phrase TEXT NOT NULL,
            at INTEGER NOT NULL,
            text BLOB NOT NULL,
            version TEXT NOT NULL,
            PRIMARY KEY (user_id, phrase_key)
        ) STRICT
        """,
    ),
    (
        # Features as a JSON object: what the event told, and what the request of its slate told.
        "ALTER TABLE events ADD COLUMN context TEXT",
        "ALTER TABLE events ADD COLUMN slate_context TEXT",
    ),
)
