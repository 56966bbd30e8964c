"""Writes the models of the pages' story into a folder: tiny_model.py CUTD GGUF OUT.

A two-layer random Llama with SmolLM2's tokenizer, as in tests/e2e/conftest.py: a whole round takes seconds.
"""

import pathlib
import subprocess
import sys

import torch
import transformers

cutd, gguf, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
whole = out.with_name("smollm2")
subprocess.run([cutd, "model", "import", gguf, "--output", str(whole)], check=True, capture_output=True)
torch.manual_seed(7)
config = transformers.LlamaConfig(
    vocab_size=49152, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2,
    pad_token_id=2)
transformers.LlamaForCausalLM(config).save_pretrained(out)
for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
    if (whole / name).exists():
        (out / name).write_bytes((whole / name).read_bytes())
