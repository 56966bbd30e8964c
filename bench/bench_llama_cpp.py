"""Generation speed on SmolLM2-135M-Instruct: cutd-engine against llama.cpp, on this CPU.

As bench_generation.py measures it, with the same requests: greedy, EOS ignored, random prompts of equal length, in pairs,
ours and the peer in turn. Both compute with the same weights, which llama.cpp's own converter writes as float32 and
bfloat16 out of the GGUF file that cutd imports; its KV cache is float16, as it comes. The quantised file itself is measured
beside them, for that is how llama.cpp is mostly used; cutd trains, and computes in bfloat16 or float32.
One JSON line per width. Runs in the venv of third_party/python/peers.txt (scripts/bench --peers).
"""

import argparse
import ctypes
import json
import os
import pathlib
import subprocess
import sys

import bench_generation

TYPES = {"float32": 0, "bfloat16": 32}  # LLAMA_FTYPE_ALL_F32, LLAMA_FTYPE_MOSTLY_BF16


def convert(source, target, kind):
    """Writes the model with every matrix as `kind`, once."""
    import llama_cpp as llama
    from llama_cpp_peer import QUIET

    if target.exists():
        return
    llama.llama_log_set(QUIET, ctypes.c_void_p(0))  # a line for each matrix
    params = llama.llama_model_quantize_default_params()
    params.ftype = TYPES[kind]
    params.allow_requantize = True
    part = target.with_suffix(".part")
    if llama.llama_model_quantize(os.fsencode(source), os.fsencode(part), ctypes.byref(params)) != 0:
        sys.exit(f"llama.cpp does not convert {source} to {kind}")
    part.rename(target)


class Peer(bench_generation.Peer):
    def __init__(self, options, path, flash):
        program = pathlib.Path(__file__).with_name("llama_cpp_peer.py")
        self.process = subprocess.Popen([sys.executable, program, path, flash, str(options.threads)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            sys.exit("the process of llama.cpp did not start; its error is above")


def row(batch, ours, theirs, quantised):
    result = bench_generation.row(batch, ours, theirs, floor=0)
    for key in ("floor", "reached"):  # none was promised
        del result[key]
    rate = bench_generation.median(quantised, "tokens_per_second")
    return {**result, "bench": "llama_cpp", "quantised_tokens_per_second": round(rate, 1),
            "quantised_ratio": round(result["tokens_per_second"][result["best"]] / rate, 2),
            "quantised_peak_memory_bytes": max(sample["peak_memory_bytes"] for sample in quantised)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--model", required=True, help="Hugging Face folder that `cutd model import` made of --gguf")
    parser.add_argument("--gguf", type=pathlib.Path, required=True, help="the quantised model")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="keeps the converted models (0.8 GB)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--new-tokens", type=int, default=48)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    peers = {}
    for kind in TYPES:
        path = options.work / f"{options.gguf.stem}-{kind}.gguf"
        convert(options.gguf, path, kind)
        for flash in ("auto", "off"):
            peers[f"{kind} {'flash' if flash == 'auto' else 'plain'}"] = Peer(options, path, flash)
    quantised_peer = Peer(options, options.gguf, "auto")
    for batch in options.batches:
        ours, theirs, quantised = {kind: [] for kind in TYPES}, {name: [] for name in peers}, []
        for _ in range(options.runs):
            for kind in TYPES:
                ours[kind].append(bench_generation.measure_ours(batch, kind, options))
            for name, peer in peers.items():
                theirs[name].append(peer.measure(batch, options))
            quantised.append(quantised_peer.measure(batch, options))
        print(json.dumps(row(batch, ours, theirs, quantised)), flush=True)
    for peer in (*peers.values(), quantised_peer):
        peer.close()


if __name__ == "__main__":
    main()
