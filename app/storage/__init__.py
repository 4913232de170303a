"""What the stores stand on: SQLite (`database`, `group_commit`, `schema`), a Valkey of our own (`embedded_valkey`), a
`circuit_breaker` for what may be gone, and times as integers (`timestamps`).
"""
