"""Scores to a slate: which candidates, in which order (`compose`), under which rules (`rules`), with what left to
chance (`exploration`). `dpp` and `mmr` are two ways to weigh relevance against likeness."""
