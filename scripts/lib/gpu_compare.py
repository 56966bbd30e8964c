"""Compares cutd-engine on the GPU with itself on the CPU, then times the 13B shape. Called by gpu_check.

What fails is reported and the rest goes on; the report (OUT/gpu.json) is written after every part. Needs torch alone.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import torch

GOLDEN_MODELS = ("llama", "llama3-gqa")
BENCHES = [("generate", 1, 256, 128), ("generate", 8, 256, 128), ("generate", 32, 256, 256), ("generate", 64, 256, 256),
           ("prefill", 8, 1024, 1), ("train", 8, 120, 260)]  # mode, sequences, prompt tokens, new tokens


class Failed(Exception):
    pass


class OutOfTime(Exception):
    pass


def read_tensors(path):
    """Safetensors in float32 (format: https://github.com/huggingface/safetensors, README): name -> tensor."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32", f"{path}: {name} is {entry['dtype']}"
        begin, end = (8 + length + at for at in entry["data_offsets"])
        tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.float32).reshape(entry["shape"])
    return tensors


def read_rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class Check:
    def __init__(self, options):
        self.engine, self.golden, self.device = options.engine, options.golden, options.device
        self.end = time.monotonic() + options.seconds
        self.out = options.out
        self.work = options.out / "work"
        self.work.mkdir(parents=True, exist_ok=True)
        self.report = {"gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None, "checks": [],
                       "bench": [], "failures": [], "left_out": []}

    def run(self, *arguments):
        left = self.end - time.monotonic()
        if left < 1:
            raise OutOfTime
        try:
            done = subprocess.run([self.engine, *map(str, arguments)], capture_output=True, text=True, timeout=left)
        except subprocess.TimeoutExpired:
            raise OutOfTime from None
        if done.returncode != 0:
            raise Failed(f"{' '.join(map(str, arguments))}\nexit {done.returncode}\n{done.stderr[-3000:]}")
        return done.stdout

    def part(self, name, work):
        """One part of the whole: what it throws is noted."""
        try:
            work()
        except OutOfTime:
            self.report["left_out"].append(name)
            print(f"left out, no time: {name}", flush=True)
        except Exception as error:  # whatever it is, the other parts are worth knowing
            self.report["failures"].append({"part": name, "error": str(error)})
            print(f"FAIL {name}: {error}", flush=True)
        (self.out / "gpu.json").write_text(json.dumps(self.report, indent=1))

    def expect(self, name, difference, tolerance):
        passed = bool(difference <= tolerance)
        self.report["checks"].append({"name": name, "difference": float(difference), "tolerance": tolerance, "passed": passed})
        print(f"{'ok  ' if passed else 'FAIL'} {name}: {difference:.3g} (tolerance {tolerance:g})", flush=True)

    def passed(self):
        return not self.report["failures"] and bool(self.report["checks"]) and all(one["passed"] for one in self.report["checks"])

    def cases(self, model):
        text = (self.golden / "models" / model / "cases.json").read_text()
        cases = [case for case in json.loads(text)["cases"] if len(case["input_ids"]) > 1]
        source = self.work / f"{model}.jsonl"
        source.write_text("".join(json.dumps({"id": c["name"], "ids": c["input_ids"]}) + "\n" for c in cases))
        return cases, source

    def compare_log_probabilities(self, model, dtype, tolerance):
        _, source = self.cases(model)
        answers = []
        for place, device in (("cpu", "cpu"), ("gpu", self.device)):
            target = self.work / f"{model}-{dtype}-{place}.jsonl"
            self.run("logprobs", "--model", self.golden / "models" / model, "--dtype", dtype, "--device", device, "--input", source,
                     "--output", target)
            answers.append(read_rows(target))
        worst = max(abs(a - b) for left, right in zip(*answers) for a, b in zip(left["logprobs"][1:], right["logprobs"][1:]))
        self.expect(f"{model} log-probabilities {dtype}", worst, tolerance)

    def compare_greedy(self, model):
        cases, source = self.cases(model)
        texts = []
        for place, device in (("cpu", "cpu"), ("gpu", self.device)):
            target = self.work / f"{model}-greedy-{place}.jsonl"
            self.run("generate", "--model", self.golden / "models" / model, "--dtype", "float32", "--device", device, "--input", source,
                     "--output", target, "--max-new-tokens", 48, "--ignore-eos")
            texts.append([row["ids"] for row in read_rows(target)])
        self.expect(f"{model} greedy ids that differ", sum(a != b for a, b in zip(*texts)), 0)
        golden_ids = [case["greedy_48"] for case in cases]
        self.expect(f"{model} greedy ids that differ from Hugging Face", sum(a != b for a, b in zip(texts[1], golden_ids)), 0)

    def explain(self, variant, place, dtype):
        folder, name = self.golden / "tiny-llama", f"{variant}-{dtype}-{place}"
        target, tensors = self.work / f"{name}.json", self.work / f"{name}.safetensors"
        self.run("explain", "--model", self.golden / "models" / "llama", "--adapter", folder / "adapter", "--samples",
                 folder / "samples.json", "--objective", "cut", "--variant", variant, "--dtype", dtype, "--device",
                 "cpu" if place == "cpu" else self.device, "--output", target, "--gradients", tensors)
        return json.loads(target.read_text()), read_tensors(tensors)

    def compare_training(self, variant):
        cpu, cpu_gradients = self.explain(variant, "cpu", "float32")
        gpu, gpu_gradients = self.explain(variant, "gpu", "float32")
        self.expect(f"{variant} loss (relative)", abs(cpu["loss"] - gpu["loss"]) / abs(cpu["loss"]), 1e-4)
        self.expect(f"{variant} detected tokens that differ", sum(
            a != b for x, y in zip(cpu["samples"], gpu["samples"]) for a, b in zip(x["detected"], y["detected"])), 0)
        worst = max(float((value - gpu_gradients[name]).abs().max() / value.abs().max().clamp_min(1e-12))
                    for name, value in cpu_gradients.items())
        self.expect(f"{variant} gradients (relative to the largest entry)", worst, 1e-3)

    # bf16 goes through the packed attention kernel; rounding may move a token over the detection's threshold.
    def compare_rounded_training(self, variant):
        cpu, cpu_gradients = self.explain(variant, "cpu", "float32")
        rounded, rounded_gradients = self.explain(variant, "gpu", "bfloat16")
        self.expect(f"{variant} loss in bf16 (relative)", abs(cpu["loss"] - rounded["loss"]) / abs(cpu["loss"]), 0.05)
        whole, part = (torch.cat([g[k].flatten() for k in sorted(g)]).double() for g in (cpu_gradients, rounded_gradients))
        cosine = float(whole @ part / (whole.norm() * part.norm()))
        self.expect(f"{variant} gradients in bf16 (1 - cosine with float32)", 1 - cosine, 0.02)

    def bench(self, mode, batch, prompt, new):
        shape = self.work / "llama-2-13b-shape"
        shape.mkdir(exist_ok=True)
        (shape / "config.json").write_text(json.dumps({
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 5120, "intermediate_size": 13824,
            "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 40, "head_dim": 128, "vocab_size": 32000,
            "rms_norm_eps": 1e-5, "max_position_embeddings": 4096, "rope_theta": 10000.0, "tie_word_embeddings": False,
            "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "bfloat16"}))
        text = self.run("bench", "--model", shape, "--random-weights", "--mode", mode, "--batch", batch, "--prompt-tokens", prompt,
                        "--new-tokens", new, "--dtype", "bfloat16", "--device", self.device, "--json")
        result = json.loads(text.splitlines()[-1])
        self.report["bench"].append(result)
        print(json.dumps(result), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine")
    parser.add_argument("golden", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=480, help="what is not begun by then is left out and named")
    parser.add_argument("--device", default="cuda:0", help="in the GPU's place; `cpu` tries this program itself")
    parser.add_argument("--no-bench", action="store_true")
    options = parser.parse_args()
    check = Check(options)
    for model in GOLDEN_MODELS:
        for dtype, tolerance in (("float32", 1e-3), ("bfloat16", 0.15)):
            check.part(f"{model} log-probabilities {dtype}", lambda: check.compare_log_probabilities(model, dtype, tolerance))
        check.part(f"{model} greedy", lambda: check.compare_greedy(model))
    for variant in ("paper", "released"):
        check.part(f"{variant} training", lambda: check.compare_training(variant))
        check.part(f"{variant} training in bf16", lambda: check.compare_rounded_training(variant))
    for mode, *sizes in [] if options.no_bench else BENCHES:
        check.part(f"bench {mode} {sizes}", lambda: check.bench(mode, *sizes))
    sys.exit(0 if check.passed() else 1)


main()
