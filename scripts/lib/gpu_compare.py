"""Compares cutd-engine on the GPU with itself on the CPU, then times the 13B shape. Called by gpu_check."""
import json
import pathlib
import subprocess
import sys

import numpy
import safetensors.numpy

engine, golden, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
with_bench = "--no-bench" not in sys.argv
work = out / "work"
work.mkdir(parents=True, exist_ok=True)
report = {"checks": [], "bench": []}


def run(*arguments):
    done = subprocess.run([engine, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}\nexit {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def check(name, difference, tolerance):
    passed = bool(difference <= tolerance)
    report["checks"].append({"name": name, "difference": float(difference), "tolerance": tolerance, "passed": passed})
    print(f"{'ok  ' if passed else 'FAIL'} {name}: {difference:.3g} (tolerance {tolerance:g})", flush=True)


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def compare_inference(model):
    folder = golden / "models" / model
    cases = [case for case in json.loads((folder / "cases.json").read_text())["cases"] if len(case["input_ids"]) > 1]
    source = work / f"{model}.jsonl"
    source.write_text("".join(json.dumps({"id": c["name"], "ids": c["input_ids"]}) + "\n" for c in cases))
    for dtype, tolerance in (("float32", 1e-3), ("bfloat16", 0.15)):
        answers = {}
        for device in ("cpu", "cuda:0"):
            target = work / f"{model}-{dtype}-{device[:3]}.jsonl"
            run("logprobs", "--model", folder, "--dtype", dtype, "--device", device, "--input", source, "--output", target)
            answers[device] = rows(target)
        worst = max(
            abs(a - b)
            for left, right in zip(answers["cpu"], answers["cuda:0"])
            for a, b in zip(left["logprobs"][1:], right["logprobs"][1:])
        )
        check(f"{model} log-probabilities {dtype}", worst, tolerance)
    texts = []
    for device in ("cpu", "cuda:0"):
        target = work / f"{model}-greedy-{device[:3]}.jsonl"
        run("generate", "--model", folder, "--dtype", "float32", "--device", device, "--input", source, "--output", target,
            "--max-new-tokens", 48, "--ignore-eos")
        texts.append([row["ids"] for row in rows(target)])
    check(f"{model} greedy ids that differ", sum(a != b for a, b in zip(*texts)), 0)
    golden_ids = [case["greedy_48"] for case in cases]
    check(f"{model} greedy ids that differ from Hugging Face", sum(a != b for a, b in zip(texts[1], golden_ids)), 0)


def explain(variant, device, dtype):
    folder, name = golden / "tiny-llama", f"{variant}-{dtype}-{device[:3]}"
    target, tensors = work / f"{name}.json", work / f"{name}.safetensors"
    run("explain", "--model", golden / "models" / "llama", "--adapter", folder / "adapter", "--samples", folder / "samples.json",
        "--objective", "cut", "--variant", variant, "--dtype", dtype, "--device", device, "--output", target, "--gradients", tensors)
    return json.loads(target.read_text()), safetensors.numpy.load_file(tensors)


def largest_difference(left, right):
    return max(numpy.abs(left[k] - right[k]).max() / max(numpy.abs(left[k]).max(), 1e-12) for k in left)


def compare_training():
    for variant in ("paper", "released"):
        (cpu, cpu_gradients), (gpu, gpu_gradients) = (explain(variant, device, "float32") for device in ("cpu", "cuda:0"))
        check(f"{variant} loss (relative)", abs(cpu["loss"] - gpu["loss"]) / abs(cpu["loss"]), 1e-4)
        check(f"{variant} detected tokens that differ", sum(
            a != b for x, y in zip(cpu["samples"], gpu["samples"]) for a, b in zip(x["detected"], y["detected"])), 0)
        check(f"{variant} gradients (relative to the largest entry)", largest_difference(cpu_gradients, gpu_gradients), 1e-3)
        # bf16 goes through the packed attention kernel; rounding may move a token over the detection's threshold.
        rounded, rounded_gradients = explain(variant, "cuda:0", "bfloat16")
        check(f"{variant} loss in bf16 (relative)", abs(cpu["loss"] - rounded["loss"]) / abs(cpu["loss"]), 0.05)
        whole, part = (numpy.concatenate([g[k].ravel() for k in sorted(g)]) for g in (cpu_gradients, rounded_gradients))
        cosine = float(whole @ part / (numpy.linalg.norm(whole) * numpy.linalg.norm(part)))
        check(f"{variant} gradients in bf16 (1 - cosine with float32)", 1 - cosine, 0.02)


def bench():
    shape = work / "llama-2-13b-shape"
    shape.mkdir(exist_ok=True)
    (shape / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 5120, "intermediate_size": 13824,
        "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 40, "head_dim": 128, "vocab_size": 32000,
        "rms_norm_eps": 1e-5, "max_position_embeddings": 4096, "rope_theta": 10000.0, "tie_word_embeddings": False,
        "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "bfloat16"}))
    runs = [("generate", 1, 256, 128), ("generate", 8, 256, 128), ("generate", 32, 256, 256), ("generate", 64, 256, 256),
            ("prefill", 8, 1024, 1), ("train", 8, 120, 260)]
    for mode, batch, prompt, new in runs:
        text = run("bench", "--model", shape, "--random-weights", "--mode", mode, "--batch", batch, "--prompt-tokens", prompt,
                   "--new-tokens", new, "--dtype", "bfloat16", "--device", "cuda:0", "--json")
        result = json.loads(text.splitlines()[-1])
        report["bench"].append(result)
        print(json.dumps(result), flush=True)


for name in ("llama", "llama3-gqa"):
    compare_inference(name)
compare_training()
if with_bench:
    bench()
(out / "gpu.json").write_text(json.dumps(report, indent=1))
sys.exit(0 if all(c["passed"] for c in report["checks"]) else 1)
