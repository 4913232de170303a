import json
from pathlib import Path

import pytest
import torch
from tiny import changed_from, random_events, random_space
from torch import nn
from transformers import AutoModel

from models.events import EventBatch
from models.user_encoder import (
    DELTA_BOUND,
    EventTokens,
    InterestHead,
    UserEncoder,
    build_user_transformer,
    load_user_transformer,
)


@pytest.fixture(params=["bert_folder", "llama_folder"])
def folder(request: pytest.FixtureRequest) -> Path:
    """A model that reads both ways, and one that is causal already."""
    return request.getfixturevalue(request.param)


def encoder_over(folder: Path, *, has_times: bool = True) -> UserEncoder:
    return random_space(folder, has_times=has_times).text.encoder


@pytest.mark.parametrize("has_times", [True, False])
@pytest.mark.parametrize("place", [1, 4, 7])
def test_a_later_event_never_changes_an_earlier_state(folder: Path, place: int, has_times: bool) -> None:
    one, other = changed_from(place, has_times=has_times)
    encoder = encoder_over(folder, has_times=has_times)
    moved = (encoder.states(one) - encoder.states(other)).abs().amax(dim=-1)[0]
    assert moved[:place].max() < 1e-5
    assert moved[place:].min() > 1e-3


def test_an_earlier_event_is_remembered(folder: Path) -> None:
    one, other = random_events([8], seed=1), random_events([8], seed=1)
    other.text[0, 0] += 1
    encoder = encoder_over(folder)
    assert (encoder.states(one) - encoder.states(other)).abs().amax(dim=-1)[0].min() > 1e-5


def test_the_order_of_events_counts(folder: Path) -> None:
    """The same events the other way round, without times: another last state."""
    events = random_events([6], has_times=False)
    order = torch.tensor([4, 3, 2, 1, 0, 5])
    tensors = [getattr(events, name) for name in events.__slots__]
    turned = EventBatch(*(tensor if tensor.ndim == 1 else tensor[:, order] for tensor in tensors))
    encoder = encoder_over(folder, has_times=False)
    assert not torch.allclose(encoder.read(events), encoder.read(turned), atol=1e-4)


@pytest.mark.parametrize("has_times", [True, False])
def test_padding_changes_no_answer(folder: Path, has_times: bool) -> None:
    encoder, lengths = encoder_over(folder, has_times=has_times), [3, 12, 1, 7]
    batch = random_events(lengths, has_times=has_times)
    together = encoder.read(batch)
    for place, length in enumerate(lengths):
        alone = [getattr(batch, name)[place : place + 1] for name in batch.__slots__]
        cut = EventBatch(*(tensor if tensor.ndim == 1 else tensor[:, :length] for tensor in alone))
        assert torch.allclose(together[place], encoder.read(cut)[0], rtol=1e-4, atol=1e-4)


def test_interests_after_the_last_event_are_the_last_of_those_after_each(folder: Path) -> None:
    encoder, events = encoder_over(folder), random_events([5, 5])
    after_each = encoder(events)
    assert after_each.shape == (2, 5, 3, 8)
    assert torch.allclose(encoder.read(events), after_each[:, -1], atol=1e-6)


def identity_tokens() -> EventTokens:
    """Tokens that are the text plus its delta and nothing else."""
    tokens = EventTokens(text_dim=6, n_items=9, hidden=6)
    tokens.mlp = nn.Identity()
    return tokens


def test_a_fresh_delta_leaves_the_text_alone() -> None:
    events = random_events([5])
    assert torch.equal(identity_tokens()(events), events.text)


@pytest.mark.parametrize(("length", "moved"), [(100.0, DELTA_BOUND), (0.5, 0.5), (0.2, 0.2)])
def test_a_delta_moves_a_text_by_at_most_its_bound(length: float, moved: float) -> None:
    tokens, events = identity_tokens().eval(), random_events([12])
    with torch.no_grad():
        tokens.delta.weight[1:] = torch.eye(6)[2] * length
    distance = (tokens(events) - events.text).norm(dim=-1)
    assert torch.allclose(distance, torch.where(events.rows > 0, moved, 0.0), atol=1e-5)


def test_training_leaves_out_a_fifth_of_the_deltas() -> None:
    tokens, events = identity_tokens().train(), random_events([12] * 500)
    with torch.no_grad():
        tokens.delta.weight[1:] = 0.1
    torch.manual_seed(0)
    moved = (tokens(events) - events.text).norm(dim=-1)[events.rows > 0] > 0
    assert moved.float().mean() == pytest.approx(0.8, abs=0.02)  # 5 standard errors of some 5,400 draws


def test_interest_head_gives_as_many_vectors_as_interests() -> None:
    head = InterestHead(hidden=4, interests=3, dim=8, dropout=0.0)
    assert (head(torch.ones(2, 5, 4)) == 0).all()  # before training it adds nothing
    with torch.no_grad():
        head.out.weight.normal_()
    vectors = head(torch.ones(2, 5, 4))
    assert vectors.shape == (2, 5, 3, 8)
    assert not torch.allclose(vectors[..., 0, :], vectors[..., 1, :])


def test_only_the_first_layers_are_taken_with_their_weights(folder: Path) -> None:
    whole = AutoModel.from_pretrained(folder).state_dict()
    cut = load_user_transformer(folder, layers=1)
    kept = {name: weights for name, weights in cut.state_dict().items() if "word_embeddings" not in name}
    kept.pop("embed_tokens.weight", None)
    assert cut.config.num_hidden_layers == 1
    assert all(".1." not in name for name in kept)
    assert all(torch.equal(weights, whole[name]) for name, weights in kept.items())


def test_the_word_table_and_the_pooler_are_left_behind(folder: Path) -> None:
    transformer = load_user_transformer(folder, layers=2)
    assert transformer.get_input_embeddings().weight.shape == (1, 32)
    assert getattr(transformer, "pooler", None) is None


def test_without_pretraining_the_shape_is_the_same_and_the_weights_are_not(folder: Path) -> None:
    pretrained = load_user_transformer(folder, layers=2).state_dict()
    random = load_user_transformer(folder, layers=2, pretrained=False).state_dict()
    assert {n: w.shape for n, w in random.items()} == {n: w.shape for n, w in pretrained.items()}
    matrices = [name for name, weights in pretrained.items() if weights.ndim == 2]
    assert not any(torch.equal(pretrained[name], random[name]) for name in matrices)


def test_a_transformer_is_built_again_from_what_a_bundle_says_of_it(folder: Path) -> None:
    original = load_user_transformer(folder, layers=2).eval()
    told = json.loads(json.dumps(original.config.to_diff_dict()))
    rebuilt = build_user_transformer(told).eval()
    rebuilt.load_state_dict(original.state_dict())
    tokens = torch.randn(2, 5, 32)
    mask = torch.zeros(2, 2, 5, 5)
    answers = [model(inputs_embeds=tokens, attention_mask=mask).last_hidden_state for model in (original, rebuilt)]
    assert torch.equal(*answers)
