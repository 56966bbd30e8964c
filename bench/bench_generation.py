"""Speed of generation: `cutd-engine bench` against Hugging Face transformers, on one model, in one go.

Every sequence has 128 prompt tokens and gets 48 new ones, greedy, without stopping. At each width the two programs
take turns in float32 and in bfloat16, several times over, so that both meet the same machine; medians are compared,
best number type of each. The decode rate leaves the prompt out: (time of 48 tokens - time of 1) for 47 of them.

Prints one JSON line per width. `ratio` is ours / peer; `ratio_low` the lowest of the turns.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

DTYPES = ("float32", "bfloat16")


class Peer:
    """transformers with its key-value cache; prompts of equal length need no padding, which is its best case."""

    def __init__(self, model, threads):
        import torch
        import transformers

        torch.set_num_threads(threads)
        self.torch = torch
        self.models = {
            name: transformers.AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, name)).eval() for name in DTYPES
        }

    def seconds(self, dtype, ids, new_tokens):
        start = time.perf_counter()
        with self.torch.inference_mode():
            out = self.models[dtype].generate(ids, attention_mask=self.torch.ones_like(ids), do_sample=False,
                                              min_new_tokens=new_tokens, max_new_tokens=new_tokens, pad_token_id=0)
        assert out.shape[1] == ids.shape[1] + new_tokens
        return time.perf_counter() - start

    def rates(self, dtype, batch, prompt_tokens, new_tokens):
        vocabulary = self.models[dtype].config.vocab_size
        ids = self.torch.randint(20, vocabulary, (batch, prompt_tokens), generator=self.torch.Generator().manual_seed(batch))
        one, whole = self.seconds(dtype, ids, 1), self.seconds(dtype, ids, new_tokens)
        return batch * (new_tokens - 1) / (whole - one), batch * prompt_tokens / one


def our_rates(options, dtype, batch):
    command = [f"{options.bin}/cutd-engine", "bench", "--model", options.model, "--mode", "generate", "--batch", str(batch),
               "--prompt-tokens", str(options.prompt_tokens), "--new-tokens", str(options.new_tokens), "--dtype", dtype,
               "--threads", str(options.threads), "--json"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result["tokens_per_second"], result["prefill_tokens_per_second"], result["peak_memory_bytes"]


def measure(options, peer, batch):
    ours = {dtype: [] for dtype in DTYPES}
    theirs = {dtype: [] for dtype in DTYPES}
    for dtype in DTYPES:
        peer.rates(dtype, batch, options.prompt_tokens, 2)  # warm-up
    for _ in range(options.turns):
        for dtype in DTYPES:
            ours[dtype].append(our_rates(options, dtype, batch))
            theirs[dtype].append(peer.rates(dtype, batch, options.prompt_tokens, options.new_tokens))
    decode = {dtype: statistics.median(row[0] for row in ours[dtype]) for dtype in DTYPES}
    peer_decode = {dtype: statistics.median(row[0] for row in theirs[dtype]) for dtype in DTYPES}
    best, peer_best = max(DTYPES, key=decode.get), max(DTYPES, key=peer_decode.get)
    prefill = {dtype: statistics.median(row[1] for row in ours[dtype]) for dtype in DTYPES}
    peer_prefill = {dtype: statistics.median(row[1] for row in theirs[dtype]) for dtype in DTYPES}
    return {
        "bench": "generation", "peer": "transformers", "sequences": batch,
        "tokens_per_second": {dtype: round(decode[dtype], 1) for dtype in DTYPES},
        "peer_tokens_per_second": {dtype: round(peer_decode[dtype], 1) for dtype in DTYPES},
        "ratio": round(decode[best] / peer_decode[peer_best], 2),
        "ratio_low": round(min(a[0] / b[0] for a, b in zip(ours[best], theirs[peer_best])), 2),
        "prefill_tokens_per_second": {dtype: round(prefill[dtype]) for dtype in DTYPES},
        "peer_prefill_tokens_per_second": {dtype: round(peer_prefill[dtype]) for dtype in DTYPES},
        "prefill_ratio": round(max(prefill.values()) / max(peer_prefill.values()), 2),
        "peak_memory_bytes": {dtype: max(row[2] for row in ours[dtype]) for dtype in DTYPES},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--model", required=True, help="Hugging Face folder")
    parser.add_argument("--widths", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--new-tokens", type=int, default=48)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
    options = parser.parse_args()
    peer = Peer(options.model, options.threads)
    for batch in options.widths:
        print(json.dumps(measure(options, peer, batch)), flush=True)


if __name__ == "__main__":
    main()
