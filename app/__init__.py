"""Penchant: who asks, what they did and the situation they are in, to a slate of items they will want, and why.

The path of one request:

    api/recommendations -> recommender -> interests/intent -> filtering/eligibility -> scoring/scorer (the query)
                        -> retrieval/retrieve -> scoring/scorer (the scores) -> placements/composer
                        -> explanation/explainer -> slates/store -> api

`wiring` builds all of it. `offline` trains what it serves; nothing here imports `offline`. What learns is in `models`.
"""
