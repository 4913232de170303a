"""Named surfaces of a client's pages, each with its own length, sources and rules: what one is (`placement`), where
they are kept (`store`), as one process knows them (`live`), and told in one request's terms (`surface`, `composer`).
"""
