"""The jobs that make a bundle, in order: fetch, clean, split, train, evaluate. Never imported by what serves.

`fetch` brings the demonstration data and the base model; `columns` says how anybody's table becomes ours; `clean`
turns both tables into a data set with a report of what it dropped; `report` writes the figures of every program.
"""
