"""The first layers of a language model out of a GGUF file, as a Hugging Face folder in float32.

Only what a user LLM needs is kept: events enter through `inputs_embeds`, so neither the word table nor the tokenizer.
"""

import tempfile
from pathlib import Path

import torch

LAYERS = 8  # a recipe reads 2 to 6 of them; all 30 of SmolLM2-135M would take 425 MB


def convert_first_layers(gguf: Path, folder: Path, layers: int = LAYERS) -> None:
    """Write `folder`; a conversion that was cut short leaves nothing there."""
    from transformers import AutoConfig, AutoModel  # here, not above: importing transformers takes seconds

    from models.quiet import quiet_transformers

    quiet_transformers()
    whole = AutoModel.from_pretrained(gguf.parent, gguf_file=gguf.name, local_files_only=True, dtype=torch.float32)
    about = {name: value for name, value in whole.config.to_dict().items() if name != "quantization_config"}
    about |= {"num_hidden_layers": layers, "vocab_size": 1, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    kept = AutoModel.from_config(AutoConfig.for_model(**about), dtype=torch.float32)
    wanted = {name for name in kept.state_dict() if "embed_tokens" not in name}
    kept.load_state_dict({n: w for n, w in whole.state_dict().items() if n in wanted}, strict=False)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".convert-") as scratch:
        kept.save_pretrained(Path(scratch) / "model")
        (Path(scratch) / "model").replace(folder)
