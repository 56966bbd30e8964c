"""Renders the JSON lines of scripts/bench (build/bench.jsonl) as docs/benchmarks.md. Usage: benchmarks_page.py IN.jsonl OUT.md"""

import json
import pathlib
import platform
import sys
import time


def gib(count):
    return f"{count / 2**30:.2f}"


def processor():
    names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores, {platform.system()} {platform.machine()}"


def generation(rows):
    lines = ["| sequences | cutd-engine, tokens/s | transformers, tokens/s | ratio (lowest to highest pair) | floor | prompt tokens/s, ratio | peak memory, GiB |",
             "|---|---|---|---|---|---|---|"]
    for row in rows:
        ours, peer, best, peer_best = row["tokens_per_second"], row["peer_tokens_per_second"], row["best"], row["peer_best"]
        lines.append(
            f"| {row['batch']} | {ours[best]:.0f} ({best}) | {peer[peer_best]:.0f} ({peer_best}) | **{row['ratio']:.2f}** "
            f"({row['ratio_lowest']:.2f} to {row['ratio_highest']:.2f}) | {row['floor']} | "
            f"{max(row['prefill_tokens_per_second'].values()):.0f}, {row['prefill_ratio']:.2f} | "
            f"{gib(row['peak_memory_bytes'][best])} against {gib(row['peer_peak_memory_bytes'][peer_best])} |")
    return "\n".join(lines)


def training(rows):
    lines = ["| base | cutd-engine, tokens/s | transformers + PEFT, tokens/s | ratio | peak memory, GiB | memory ratio | loss of the first step |",
             "|---|---|---|---|---|---|---|"]
    for row in rows:
        if row["dtype"] == "best":
            lines.append(f"| best of each ({row['ours']}, {row['peer']}) | | | **{row['ratio']:.2f}** (floor 1.5) | | **{row['memory_ratio']:.2f}** (at most 0.7) | |")
            continue
        lines.append(
            f"| {row['dtype']} | {row['tokens_per_second']:.0f} | {row['peer_tokens_per_second']:.0f} | {row['ratio']:.2f} | "
            f"{gib(row['peak_memory_bytes'])} against {gib(row['peer_peak_memory_bytes'])} | {row['memory_ratio']:.2f} | "
            f"{row['first_loss']} and {row['peer_first_loss']} |")
    return "\n".join(lines)


def page(rows):
    by_name = {}
    for row in rows:
        by_name.setdefault(row["bench"], []).append(row)
    (startup,) = by_name["startup"]
    (queue,) = by_name["queue"]
    return f"""# Benchmarks

Made by `scripts/bench` on {time.strftime('%Y-%m-%d')}, on {processor()}, 2 threads on each side, SmolLM2-135M-Instruct. Each row is
measured in one go, ours and the peer in turn; the peer is Hugging Face transformers (and PEFT) at the versions of
`third_party/python/requirements.txt`. The programs in `bench/` say exactly what is timed.

## Generation

Greedy, 128 prompt and 48 new tokens a sequence; each side with its best element type and attention.

{generation(by_name['generation'])}

## Training

Pairs of 120 to 520 tokens, the `released` CUT loss, micro-batch 2, LoRA of rank 16.

{training(by_name['training'])}

## Start

From the start of the process to the first token: {startup['first_token_s']:.2f} s against {startup['peer_first_token_s']:.2f} s (**{startup['ratio']:.1f}** times as
fast), with {gib(startup['peak_memory_bytes'])} GiB against {gib(startup['peer_peak_memory_bytes'])} GiB. `cutd version` takes {1000 * startup['cutd_start_s']:.0f} ms.

## The annotation queue

{queue['people']} people over real HTTP, {queue['items']} items, each judged by {queue['overlap']} of them, half a second to one and a half of thought, the daemon
killed {queue['kills']} times: {queue['counted']} judgments counted, every item by exactly {queue['overlap']} people ({'checked' if queue['exact'] else 'NOT SO'}), in {queue['seconds']:.0f} s. A claim takes
{queue['claim_ms']['p50']:.0f} ms (99 of 100: {queue['claim_ms']['p99']:.0f} ms), a submission {queue['submit_ms']['p50']:.0f} ms ({queue['submit_ms']['p99']:.0f} ms), as the people see it.

Not measured: llama.cpp (no wheel of it could be installed where this ran), and GPUs (`docs/gpu.md`).
"""


if __name__ == "__main__":
    source, target = sys.argv[1:3]
    pathlib.Path(target).write_text(page([json.loads(line) for line in pathlib.Path(source).read_text().splitlines()]))
