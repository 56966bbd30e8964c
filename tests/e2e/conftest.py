"""Fixtures of the end-to-end tests: the real programs, real models, real clients.

CUTD_BIN: folder of the built programs. CUTD_SHARED: folder whose data/golden holds the reference numbers
(default: beside the checkout); tests that need it are skipped where it is absent.
"""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CUTD_BIN", ROOT / "build/release/bin"))
SHARED = pathlib.Path(os.environ.get("CUTD_SHARED", ROOT.parent / "shared"))
CACHE = pathlib.Path(os.environ.get("CUTD_CACHE_DIR", pathlib.Path.home() / ".cache/cutd"))
GGUF = CACHE / "models/SmolLM2-135M-Instruct.Q4_1.gguf"


class Program:
    """Runs one of the programs; `ok` fails the test with its standard error when it does not exit 0."""

    def __init__(self, path):
        self.path = path

    def __call__(self, *arguments, **options):
        options.setdefault("timeout", 600)
        return subprocess.run([str(self.path), *map(str, arguments)], capture_output=True, text=True, **options)

    def ok(self, *arguments, **options):
        done = self(*arguments, **options)
        assert done.returncode == 0, f"{arguments}\nexit {done.returncode}\n{done.stderr[-4000:]}"
        return done.stdout


@pytest.fixture(scope="session")
def cutd():
    return Program(BIN / "cutd")


@pytest.fixture(scope="session")
def engine():
    return Program(BIN / "cutd-engine")


@pytest.fixture(scope="session")
def golden():
    folder = SHARED / "data/golden"
    if not folder.is_dir():
        pytest.skip(f"no golden data at {folder}")
    return folder


@pytest.fixture(scope="session")
def smollm2(cutd, tmp_path_factory):
    if not GGUF.exists():
        pytest.skip(f"no model at {GGUF}: run scripts/setup")
    folder = tmp_path_factory.mktemp("models") / "smollm2"
    cutd.ok("model", "import", GGUF, "--output", folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(smollm2, tmp_path_factory):
    """A two-layer random Llama with SmolLM2's tokenizer: a whole round takes seconds."""
    import torch
    import transformers

    folder = tmp_path_factory.mktemp("models") / "tiny"
    torch.manual_seed(7)
    config = transformers.LlamaConfig(
        vocab_size=49152, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2,
        pad_token_id=2)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if (smollm2 / name).exists():
            (folder / name).write_bytes((smollm2 / name).read_bytes())
    return folder


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read_rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]
