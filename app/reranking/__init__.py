"""Scores to a slate: which candidates, in which order."""
