"""Training speed and memory: cutd-engine against Hugging Face transformers + PEFT, on the same data in one go.

Pairs (a criticised response with and without its judgment) of 120 to 520 random tokens a sequence, the `released` CUT
loss at micro-batch 2, LoRA of rank 16 on gate, up and down projections, AdamW with clipping. Both sides take their runs
in turn, each in a process of its own, in float32 and bfloat16. A token counts once for each context it is run in;
padding, which only the peer has, does not count. Prints a JSON line for each type and one that compares the best of each.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

VOCABULARY = 49152


def make_pairs(count, seed):
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        response = rng.randint(40, 240)
        plain = rng.randint(80, 200)
        judged = plain + rng.randint(20, 80)
        draw = lambda n: [rng.randrange(3, VOCABULARY) for _ in range(n)]
        rows.append({"prompt_ids": draw(plain), "prompt_judge_ids": draw(judged), "response_ids": draw(response - 1) + [2]})
    return rows


def write_manifest(path, pairs):
    """In cutd's format; the hashes only order the rows."""
    lines = [json.dumps({"format": "cutd-manifest/1", "model": "bench", "template": "alpaca", "append_eos": "always"})]
    for i, pair in enumerate(pairs):
        lines.append(json.dumps({"instruction_hash": f"{i:08d}", "response_hash": "r", "judgment_hash": "j", "source": "bench",
                                 "kind": "align_n", **pair, "weight": 1}))
    path.write_text("\n".join(lines) + "\n")


def ours(options, dtype, pairs, folder):
    """Steps after the first: (tokens, seconds), and the process's peak memory."""
    manifest = folder / "pairs.jsonl"
    write_manifest(manifest, pairs)
    output = folder / f"ours-{time.monotonic_ns()}"
    command = [f"{options.bin}/cutd-engine", "train", "--model", options.model, "--data", str(manifest), "--output", str(output), "--json",
               "--objective", "cut", "--variant", "released", "--dtype", dtype, "--device", "cpu", "--threads", str(options.threads),
               "--per-device-train-batch-size", "2", "--gradient-accumulation-steps", "1", "--no-shuffle", "--save-steps", "0",
               "--lora-r", "16", "--lora-alpha", "16", "--lora-dropout", "0.05", "--learning-rate", "1e-4"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    steps = [json.loads(line) for line in process.stdout if '"step"' in line]
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"cutd-engine failed: {error[-2000:]}")
    timed = steps[1:]
    seconds = sum(s["tokens"] / s["tokens_per_second"] for s in timed)
    return {"tokens_per_second": sum(s["tokens"] for s in timed) / seconds, "peak_memory_bytes": usage.ru_maxrss * 1024,
            "losses": [s["loss"] for s in steps]}


def peer_main(model_dir, dtype, pairs_path, threads):
    """The other side, in its own process: the authors' loss as their code has it, on PEFT's LoRA."""
    import peft
    import torch
    import transformers

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    pairs = json.loads(pathlib.Path(pairs_path).read_text())
    model = transformers.AutoModelForCausalLM.from_pretrained(model_dir, dtype=getattr(torch, dtype))
    model = peft.get_peft_model(model, peft.LoraConfig(r=16, lora_alpha=16, lora_dropout=0.05, bias="none", task_type="CAUSAL_LM",
                                                       target_modules=["gate_proj", "up_proj", "down_proj"]))
    model.train()
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, weight_decay=0)

    def batch_of(two):
        rows = [pair[key] + pair["response_ids"] for key in ("prompt_judge_ids", "prompt_ids") for pair in two]
        answers = [len(pair["response_ids"]) for _ in range(2) for pair in two]
        width = (max(map(len, rows)) + 7) // 8 * 8
        ids, labels, mask = (torch.full((len(rows), width), fill) for fill in (0, -100, 0))
        for i, (row, answer) in enumerate(zip(rows, answers)):
            ids[i, :len(row)] = torch.tensor(row)
            labels[i, len(row) - answer:len(row)] = torch.tensor(row[-answer:])
            mask[i, :len(row)] = 1
        return ids, labels, mask, sum(map(len, rows))

    def loss_of(ids, labels, mask):
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
        targets = labels[:, 1:]
        p = torch.softmax(logits, -1).gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        half = len(ids) // 2
        judged, plain = p[:half][targets[:half] != -100], p[half:][targets[half:] != -100]
        detected = (judged / plain).detach() > 1.1
        q = torch.where(detected, 1 - plain, plain)
        like, unlike = -torch.log(judged + (judged == 0) * 1e-5).mean(), -torch.log(q + (q == 0) * 1e-5).mean()
        return (like + unlike) / 2

    tokens, seconds, losses = 0, 0.0, []
    for step in range(len(pairs) // 2):
        start = time.perf_counter()
        ids, labels, mask, count = batch_of(pairs[2 * step:2 * step + 2])
        loss = loss_of(ids, labels, mask)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
        if step > 0:  # the first warms up, on both sides
            tokens += count
            seconds += time.perf_counter() - start
    print(json.dumps({"tokens_per_second": tokens / seconds, "losses": losses}))


def peer(options, dtype, pairs, folder):
    path = folder / "pairs.json"
    path.write_text(json.dumps(pairs))
    command = [sys.executable, __file__, "--peer", dtype, "--pairs", str(path), "--bin", options.bin, "--model", options.model, "--threads",
               str(options.threads)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, error = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"the peer failed: {error[-2000:]}")
    return {**json.loads(out.splitlines()[-1]), "peak_memory_bytes": usage.ru_maxrss * 1024}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--model", required=True, help="Hugging Face folder")
    parser.add_argument("--runs", type=int, default=2, help="of each side and type, in turn")
    parser.add_argument("--steps", type=int, default=5, help="optimiser steps a run; the first is not timed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    parser.add_argument("--pairs", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return peer_main(options.model, options.peer, options.pairs, options.threads)
    pairs = make_pairs(2 * options.steps, seed=11)
    samples = {}
    with tempfile.TemporaryDirectory() as name:
        for _ in range(options.runs):
            for dtype in ("float32", "bfloat16"):
                for side, measure in (("ours", ours), ("peer", peer)):
                    samples.setdefault((side, dtype), []).append(measure(options, dtype, pairs, pathlib.Path(name)))
    speed = {key: statistics.median(r["tokens_per_second"] for r in rows) for key, rows in samples.items()}
    peak = {key: max(r["peak_memory_bytes"] for r in rows) for key, rows in samples.items()}
    for dtype in ("float32", "bfloat16"):
        # Only the first step starts from equal values: PEFT's are drawn otherwise, but B is 0 in both.
        first = {side: samples[side, dtype][0]["losses"][0] for side in ("ours", "peer")}
        print(json.dumps({
            "bench": "training", "dtype": dtype, "tokens_per_second": round(speed["ours", dtype], 1),
            "peer_tokens_per_second": round(speed["peer", dtype], 1), "ratio": round(speed["ours", dtype] / speed["peer", dtype], 2),
            "peak_memory_bytes": peak["ours", dtype], "peer_peak_memory_bytes": peak["peer", dtype],
            "memory_ratio": round(peak["ours", dtype] / peak["peer", dtype], 2),
            "first_loss": round(first["ours"], 4), "peer_first_loss": round(first["peer"], 4)}))
    best = {side: max(("float32", "bfloat16"), key=lambda dtype: speed[side, dtype]) for side in ("ours", "peer")}
    mine, theirs = ("ours", best["ours"]), ("peer", best["peer"])
    print(json.dumps({
        "bench": "training", "dtype": "best", "ours": best["ours"], "peer": best["peer"], "ratio": round(speed[mine] / speed[theirs], 2),
        "memory_ratio": round(peak[mine] / peak[theirs], 2)}))


if __name__ == "__main__":
    main()
