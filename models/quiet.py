"""Silence for the transformers library, whose talk is of no use where models are cut and combined on purpose."""


def quiet_transformers() -> None:
    """No bars and load reports of its own: a model cut to its first layers is meant, and every job draws its bar."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
