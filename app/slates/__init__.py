"""Slates remembered: what was shown to whom, where, how it was chosen (`record`), and the durable log (`store`)."""
