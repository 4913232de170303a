"""What a trained ranker has to beat: simple rankers learned from training events alone, tuned on validation alone.

Each file holds a ranker or two with `fit(dataset, split, ...)` and a small `grid` of the arguments worth trying;
`tuning` chooses among them.
"""
