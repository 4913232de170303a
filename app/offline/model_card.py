"""A bundle's card: what it is, what it was made of, what it can and cannot do. Written by the evaluation."""

import json

from app.bundle import Bundle
from app.offline.training_cost import TrainingCost
from app.trained import SPACE_FORM


def write_card(bundle: Bundle, evaluation: str) -> str:
    """Markdown. evaluation: the tables of the evaluation that has just run."""
    about, form = bundle.manifest, json.loads(bundle.path(SPACE_FORM).read_text())
    training = json.loads(bundle.path("training.json").read_text())
    blend = ", ".join(f"{name} {value:g}" for name, value in form["blend"].items())
    return f"""# Bundle {about.version}

Recommends from {about.n_items} items of the data set `{about.dataset}` (digest `{about.dataset_digest[:12]}`).

| | |
|---|---|
| Item encoder | {about.text_model}, tuned by LoRA, projected to {about.text_dim} dimensions |
| User LLM | {about.user_model}, {form["transformer"]["num_hidden_layers"]} layers, read causally, \
{about.interests} interests, last {about.history_events} events |
| ID block | SASRec with full cross-entropy beside the prior, from spectral item vectors, {about.id_dim} dimensions |
| Blend, chosen on validation | {blend} |
| Recipe, seed | {about.recipe}, {about.seed} |
| Epochs | text block {len(training["text"])}, ID block {len(training["id"])} |
| Held out | {about.protocol} |
| Training took | {TrainingCost.read(bundle.folder) or "not told"} |

## Meant for
Ordering the items of this catalogue for people who have acted on some of them, who describe in words what they want, or
of whom nothing is known. Not for decisions about people, and not for another catalogue without measuring first.

## Limits
Trained on one data set, with its biases: what is popular there is favoured here. Words are understood in the language
of the base model. Items without text cannot be placed. Training never saw the held-out events.

## Evaluation
{evaluation}
"""
