"""Renders the JSON lines of scripts/bench (build/bench.jsonl) as docs/benchmarks.md. Usage: benchmarks_page.py IN.jsonl OUT.md
Where IN holds nothing but llama.cpp's rows, or those of the long runs, or those of the model without the daemon's, that
section of OUT alone is written anew."""

import json
import pathlib
import platform
import re
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


DAEMON = "## The annotation queue\n"
LLAMA_CPP = "## llama.cpp\n"
LONG_RUNS = "## An hour of people, and of a slow judge\n"
OTHER_PROCESSOR = "## On another processor\n"


def daemon(by_name):
    (queue,), (store,), (judging,) = by_name["queue"], by_name["store"], by_name["judging"]
    reads = "\n".join(f"| {name} | {times['p50_ms']:.1f} | {times['p99_ms']:.1f} |" for name, times in store["reads"].items())
    stored = queue["stored_judgments"]
    return f"""{DAEMON}
{queue['people']} people over real HTTP, {queue['items']} items, each judged by {queue['overlap']} of them, half a second to one and a half of thought, the daemon
killed {queue['kills']} times, {stored:,} judgments in the store before: {queue['counted']} judgments counted, every item by exactly {queue['overlap']}
people ({'checked' if queue['exact'] else 'NOT SO'}), in {queue['seconds']:.0f} s. A claim takes {queue['claim_ms']['p50']:.0f} ms (99 of 100: {queue['claim_ms']['p99']:.0f} ms), a submission
{queue['submit_ms']['p50']:.0f} ms ({queue['submit_ms']['p99']:.0f} ms), as the people see it. The people are threads of one Python program on the same two cores.

## Reads of a large store

{store['judgments']:,} judgments: a database of {store['database_mb']:,.0f} MB; the daemon answers {store['start_seconds']:.1f} s after its start.

| read | median, ms | 99 of 100, ms |
|---|---|---|
{reads}

## Judging over HTTP

{judging['in_flight']} requests in flight at {judging['latency_ms']} ms latency, plain HTTP on loopback, the double on the same two cores; each with its attempt and
reservation on disk before it is sent, its reply and judgment after: **{judging['judgments_per_second']:.0f} judgments a second** (the latency allows
{judging['latency_bound_per_second']:.0f}; the double alone answers {judging['double_ceiling_per_second']:.0f}, without latency {judging['double_ceiling_without_latency_per_second']:.0f}), at most {judging['resident_mb']:.0f} MB of memory,
the main loop late by {judging['main_loop_lag_p99_ms']:.1f} ms (99 of 100).
"""


def long_runs(by_name):
    (queue,), (judging,) = by_name["queue"], by_name["judging"]
    return f"""{LONG_RUNS}
`scripts/bench --only-long`, on {time.strftime('%Y-%m-%d')}, on {processor()}. {queue['people']} people, {queue['items']} items, each judged by {queue['overlap']} of them, over
{queue['seconds'] / 60:.0f} minutes; the daemon killed {queue['kills']} times meanwhile: {queue['counted']} judgments counted, every item by exactly {queue['overlap']} people
({'checked' if queue['exact'] else 'NOT SO'}), {queue['skipped']} skipped, {queue['surplus']} late and kept. A claim takes {queue['claim_ms']['p50']:.0f} ms (99 of 100: {queue['claim_ms']['p99']:.0f} ms).

{judging['items']:,} paid requests to a judge that takes {judging['latency_ms'] // 1000} s for each, {judging['in_flight']} in flight: {judging['judgments_per_second']:.2f} judgments a second (the latency
allows {judging['latency_bound_per_second']:.2f}), at most {judging['most_descriptors']} descriptors and {judging['resident_mb']:.0f} MB of memory, the main loop late by {judging['main_loop_lag_p99_ms']:.1f} ms (99 of 100).
"""


def start(row):
    return f"""From the start of the process to the first token: {row['first_token_s']:.2f} s against {row['peer_first_token_s']:.2f} s (**{row['ratio']:.1f}** times as
fast), with {gib(row['peak_memory_bytes'])} GiB against {gib(row['peer_peak_memory_bytes'])} GiB. `cutd version` takes {1000 * row['cutd_start_s']:.0f} ms."""


def other_processor(by_name):
    (startup,) = by_name["startup"]
    return f"""{OTHER_PROCESSOR}
`scripts/bench --only-model`, on {time.strftime('%Y-%m-%d')}, on {processor()}; the columns are those of the tables above.

{generation(by_name['generation'])}

{training(by_name['training'])}

{start(startup)}
"""


def llama_cpp_version():
    pins = pathlib.Path(__file__).parents[1] / "third_party/python/peers.txt"
    return re.search(r"^llama-cpp-python==(\S+)", pins.read_text(), re.MULTILINE).group(1)


def llama_cpp(rows):
    text = f"""{LLAMA_CPP}
`scripts/bench --peers` measures generation against llama.cpp as well (that of llama-cpp-python {llama_cpp_version()}, compiled for this
processor, once), and `scripts/bench --only-peers` nothing else. Both compute with the same weights, each side with its best
element type and attention; llama.cpp keeps keys and values in float16. Beside them stands the quantised file (Q4_1) that both
are made from, which is how llama.cpp is mostly used. Leave the machine alone meanwhile: llama.cpp's threads wait for each other
in a loop, and crawl where other programs want the cores.
"""
    lines = ["| sequences | cutd-engine, tokens/s | llama.cpp, tokens/s | ratio (lowest to highest pair) | prompt tokens/s, ratio | peak memory, GiB | llama.cpp quantised, tokens/s (ratio) |",
             "|---|---|---|---|---|---|---|"]
    for row in rows:
        best, peer_best = row["best"], row["peer_best"]
        lines.append(
            f"| {row['batch']} | {row['tokens_per_second'][best]:.0f} ({best}) | {row['peer_tokens_per_second'][peer_best]:.0f} ({peer_best}) | "
            f"**{row['ratio']:.2f}** ({row['ratio_lowest']:.2f} to {row['ratio_highest']:.2f}) | "
            f"{max(row['prefill_tokens_per_second'].values()):.0f}, {row['prefill_ratio']:.2f} | "
            f"{gib(row['peak_memory_bytes'][best])} against {gib(row['peer_peak_memory_bytes'][peer_best])} | "
            f"{row['quantised_tokens_per_second']:.0f} ({row['quantised_ratio']:.2f}) |")
    table = "\n".join(lines)
    return f"{text}\nMeasured on {time.strftime('%Y-%m-%d')}, on {processor()}, 2 threads on each side.\n\n{table}\n"


def with_section(existing, heading, text, ends=r"^## "):
    """The page with one section written anew; it goes on until a line that matches `ends`."""
    before, _, rest = existing.partition(heading)
    end = re.search(ends, rest, re.MULTILINE)
    after = rest[end.start():] if end else ""
    return before.rstrip() + "\n\n" + text + ("\n" + after if after else "")


def section(existing, heading):
    """Of the page, up to the next heading; empty where it has none of that name."""
    _, found, rest = existing.partition(heading)
    return found + re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0] if found else ""


def grouped(rows):
    by_name = {}
    for row in rows:
        by_name.setdefault(row["bench"], []).append(row)
    return by_name


def page(rows, existing):
    by_name = grouped(rows)
    (startup,) = by_name["startup"]
    peers = llama_cpp(by_name["llama_cpp"]) if "llama_cpp" in by_name else section(existing, LLAMA_CPP).rstrip() + "\n"
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

{start(startup)}

{section(existing, OTHER_PROCESSOR)}{daemon(by_name)}
{section(existing, LONG_RUNS)}{peers}
## GPUs

Not measured (`docs/gpu.md`).
"""


if __name__ == "__main__":
    source, target = sys.argv[1:3]
    measured = [json.loads(line) for line in pathlib.Path(source).read_text().splitlines()]
    out = pathlib.Path(target)
    names = {row["bench"] for row in measured}
    if names == {"llama_cpp"}:
        text = with_section(out.read_text(), LLAMA_CPP, llama_cpp(measured))
    elif names == {"queue", "judging"}:
        text = with_section(out.read_text(), LONG_RUNS, long_runs(grouped(measured)))
    elif names == {"startup", "generation", "training"}:
        page_now = out.read_text()
        if OTHER_PROCESSOR not in page_now:
            page_now = page_now.replace(DAEMON, OTHER_PROCESSOR + "\n" + DAEMON)
        text = with_section(page_now, OTHER_PROCESSOR, other_processor(grouped(measured)))
    elif "startup" not in names:
        text = with_section(out.read_text(), DAEMON, daemon({row["bench"]: [row] for row in measured}), r"^## (An hour|llama|GPU)")
    else:
        text = page(measured, out.read_text() if out.exists() else "")
    out.write_text(text)
