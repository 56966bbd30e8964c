"""Generation speed on SmolLM2-135M-Instruct: cutd-engine against Hugging Face transformers, on this CPU.

Greedy, EOS ignored, random prompts of equal length, a KV cache, both element types; transformers runs the faster of
its eager and SDPA attentions, batched. Measured in pairs, ours and the peer in turn, each `--runs` times. A decode
rate is the new tokens after the first one over the time of the whole call less that of a call for one token; the
prompt rate is that of the call for one token. Each time is the lower of two. One JSON line per width: medians, every sample's ratio, and peak memory.
"""

import argparse
import json
import statistics
import subprocess
import sys

# Reads a request a line, answers with a line of rates; the model stays loaded between requests.
PEER = """
import json, resource, sys, time, torch, transformers
folder, dtype, attention, threads = sys.argv[1:5]
torch.set_num_threads(int(threads))
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype), attn_implementation=attention).eval()
def seconds(ids, new):
    start = time.perf_counter()
    with torch.inference_mode():
        out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new, do_sample=False,
                             pad_token_id=0, eos_token_id=None)
    assert out.shape[1] == ids.shape[1] + new
    return time.perf_counter() - start
print("ready", flush=True)
for line in sys.stdin:
    batch, prompt, new = json.loads(line)
    ids = torch.randint(0, model.config.vocab_size, (batch, prompt), generator=torch.Generator().manual_seed(1))
    seconds(ids, 2)
    first, whole = (min(seconds(ids, n), seconds(ids, n)) for n in (1, new))
    assert whole > first, "other work disturbed the times; run it again"
    print(json.dumps({"tokens_per_second": batch * (new - 1) / (whole - first),
                      "prefill_tokens_per_second": batch * prompt / first,
                      "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)
"""


class Peer:
    """A transformers process with one model loaded; idle between requests."""

    def __init__(self, options, dtype, attention):
        self.process = subprocess.Popen([sys.executable, "-c", PEER, options.model, dtype, attention, str(options.threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":  # loading must not disturb what is measured meanwhile
            sys.exit("the transformers process did not start; its error is above")

    def measure(self, batch, options):
        self.process.stdin.write(json.dumps([batch, options.prompt_tokens, options.new_tokens]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the transformers process ended; its error is above")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure_ours(batch, dtype, options):
    command = [f"{options.bin}/cutd-engine", "bench", "--model", options.model, "--batch", batch, "--dtype", dtype, "--device", "cpu",
               "--prompt-tokens", options.prompt_tokens, "--new-tokens", options.new_tokens, "--threads", options.threads, "--json"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"cutd-engine failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def median(samples, key):
    return statistics.median(sample[key] for sample in samples)


def best(samples, key="tokens_per_second"):
    """The name of the variant with the highest median."""
    return max(samples, key=lambda name: median(samples[name], key))


def row(batch, ours, peer, floor):
    left, right = best(ours), best(peer)
    prompt_left, prompt_right = best(ours, "prefill_tokens_per_second"), best(peer, "prefill_tokens_per_second")
    ratios = [a["tokens_per_second"] / b["tokens_per_second"] for a, b in zip(ours[left], peer[right])]
    ratio = median(ours[left], "tokens_per_second") / median(peer[right], "tokens_per_second")
    prompt_ratio = (median(ours[prompt_left], "prefill_tokens_per_second") / median(peer[prompt_right], "prefill_tokens_per_second"))
    return {
        "bench": "generation", "batch": batch, "ratio": round(ratio, 2), "floor": floor, "reached": ratio >= floor,
        "ratio_lowest": round(min(ratios), 2), "ratio_highest": round(max(ratios), 2), "best": left, "peer_best": right,
        "tokens_per_second": {name: round(median(s, "tokens_per_second"), 1) for name, s in ours.items()},
        "peer_tokens_per_second": {name: round(median(s, "tokens_per_second"), 1) for name, s in peer.items()},
        "prefill_ratio": round(prompt_ratio, 2),
        "prefill_tokens_per_second": {name: round(median(s, "prefill_tokens_per_second"), 1) for name, s in ours.items()},
        "peer_prefill_tokens_per_second": {name: round(median(s, "prefill_tokens_per_second"), 1) for name, s in peer.items()},
        "peak_memory_bytes": {name: max(x["peak_memory_bytes"] for x in s) for name, s in ours.items()},
        "peer_peak_memory_bytes": {name: max(x["peak_memory_bytes"] for x in s) for name, s in peer.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--model", required=True, help="Hugging Face folder")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--new-tokens", type=int, default=48)
    options = parser.parse_args()
    dtypes = ("float32", "bfloat16")
    peers = {f"{dtype} {attention}": Peer(options, dtype, attention) for dtype in dtypes for attention in ("eager", "sdpa")}
    for batch in options.batches:
        ours, theirs = {dtype: [] for dtype in dtypes}, {name: [] for name in peers}
        for _ in range(options.runs):
            for dtype in dtypes:
                ours[dtype].append(measure_ours(batch, dtype, options))
            for name, peer in peers.items():
                theirs[name].append(peer.measure(batch, options))
        print(json.dumps(row(batch, ours, theirs, 2.0 if batch == 1 else 1.5)), flush=True)
    for peer in peers.values():
        peer.close()


if __name__ == "__main__":
    main()
