"""Experiments: who is served which arm, and what came of it, read as often as one likes without fooling oneself."""
