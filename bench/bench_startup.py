"""Start-up time: from the command to the first generated token, ours against Hugging Face transformers.

Both load SmolLM2-135M-Instruct from the same folder (page cache warm) and generate one token in bfloat16.
Prints one JSON line: medians in seconds, peak memory in bytes, and the ratios peer / ours.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

PEER = """
import sys, torch, transformers
torch.set_num_threads(int(sys.argv[2]))
model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.bfloat16)
with torch.no_grad():
    model.generate(torch.tensor([[1, 9690, 198]]), max_new_tokens=1, do_sample=False)
"""


def timed(command):
    """Wall seconds and peak resident bytes of one run."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{command[0]} failed: {process.stderr.read().decode()[-2000:]}")
    return seconds, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--model", required=True, help="Hugging Face folder")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "in.jsonl"
        source.write_text('{"id":0,"ids":[1,9690,198]}\n')
        ours = [f"{options.bin}/cutd-engine", "generate", "--model", options.model, "--dtype", "bfloat16", "--input", str(source),
                "--output", f"{folder}/out.jsonl", "--max-new-tokens", "1"]
        peer = [sys.executable, "-c", PEER, options.model, str(options.threads)]
        daemon = [f"{options.bin}/cutd", "version"]
        samples = {"ours": [], "peer": [], "cutd": []}
        for run in range(options.runs + 1):
            for name, command in (("ours", ours), ("peer", peer), ("cutd", daemon)):
                result = timed(command)
                if run > 0:  # the first fills the page cache
                    samples[name].append(result)
    median = {name: statistics.median(s for s, _ in rows) for name, rows in samples.items()}
    peak = {name: max(m for _, m in rows) for name, rows in samples.items()}
    print(json.dumps({
        "bench": "startup", "first_token_s": round(median["ours"], 3), "peer_first_token_s": round(median["peer"], 3),
        "ratio": round(median["peer"] / median["ours"], 2), "peak_memory_bytes": peak["ours"], "peer_peak_memory_bytes": peak["peer"],
        "cutd_start_s": round(median["cutd"], 4), "cutd_peak_memory_bytes": peak["cutd"]}))


if __name__ == "__main__":
    main()
