"""`cutd-engine train` and `merge`: exact resume, manifests, and the real Hugging Face + PEFT on what they write."""

import hashlib
import json
import os
import shutil
import signal
import subprocess

import pytest

from conftest import ROOT, read_rows, write_rows


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture()
def triplets(tmp_path):
    """Twelve triplets of our own, four of them satisfactory."""
    rows = []
    for i in range(12):
        rows.append({"id": i, "instruction": f"Say why number {i} is interesting.", "input": "",
                     "output": f"The number {i} is interesting because people count with it every day.",
                     "judgment": None if i % 3 == 0 else f"The response does not name a property of {i}."})
    path = tmp_path / "triplets.json"
    path.write_text(json.dumps(rows))
    return path


def arguments(model, data, output, *flags):
    # One thread: the model is too small for more, and the machine may be busy.
    return ["train", "--threads", 1, "--model", model, "--data", data, "--output", output, "--json", "--learning-rate", 1e-3,
            "--gradient-accumulation-steps", 2, "--num-train-epochs", 2, "--seed", 5, *flags]


def read_rows_of(output):
    return [json.loads(line) for line in output.splitlines()]


def train(engine, model, data, output, *flags):
    return read_rows_of(engine.ok(*arguments(model, data, output, *flags)))


@pytest.fixture()
def golden_run(golden, tmp_path):
    """The golden tiny model (copied: training remembers a model's fingerprint beside it), adapter and pool as a manifest."""
    model = tmp_path / "llama"
    model.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(golden / "models/llama" / name, model / name)
    pool = json.loads((golden / "cut-loss/tiny-llama/samples.json").read_text())["pool"]
    rows = [{"format": "cutd-manifest/1", "model": "golden", "template": "alpaca", "append_eos": "always"}]
    for sample in pool:
        rows.append({"instruction_hash": f"{sample['id']:03}", "response_hash": "", "judgment_hash": "", "source": "golden", "kind": sample["kind"],
                     "prompt_ids": sample["prompt_ids"], "prompt_judge_ids": sample["prompt_judge_ids"] if sample["kind"] == "align_n" else None,
                     "response_ids": sample["response_ids"], "weight": 1})
    return model, golden / "cut-loss/tiny-llama", write_rows(tmp_path / "pool.jsonl", rows)


@pytest.mark.parametrize("name", ["fast-schedule", "decay-and-clip", "paper-fast-schedule"])
def test_the_command_repeats_the_golden_runs(engine, golden_run, tmp_path, name):
    model, folder, manifest = golden_run
    run = json.loads((folder / "optimiser.json").read_text())[name]
    schedule, settings = run["schedule"], run["settings"]
    flags = ["--variant", run["variant"], "--lora-dropout", 0, "--no-shuffle", "--init-adapter", folder / "adapter"]
    for key, value in settings.items():
        flags += [f"--{key.replace('_', '-')}", value]
    flags += ["--learning-rate", schedule["lr"], "--warmup-steps", schedule["warmup_steps"], "--total-steps", schedule["total_steps"],
              "--weight-decay", schedule["weight_decay"], "--max-grad-norm", schedule["max_grad_norm"],
              "--per-device-train-batch-size", schedule["micro"], "--gradient-accumulation-steps", schedule["batch"] // schedule["micro"],
              "--num-train-epochs", 10, "--max-steps", 5]
    text = engine.ok("train", "--model", model, "--data", manifest, "--output", tmp_path / "adapter", "--json", *flags)
    rows = [json.loads(line) for line in text.splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5]
    for row, expected in zip(rows, run["log"]):
        assert row["loss"] == pytest.approx(expected["loss"], rel=1e-5)
        assert row["learning_rate"] == pytest.approx(expected["lr"], rel=1e-6)
        assert row["grad_norm"] == pytest.approx(expected["grad_norm_before_clip"], rel=1e-4)
        assert row["tokens"] > 0 and 0 < row["detected_fraction"] < 1


def test_a_resumed_training_equals_an_uninterrupted_one(engine, tiny_model, triplets, tmp_path):
    whole = train(engine, tiny_model, triplets, tmp_path / "whole", "--save-steps", 2)
    first = train(engine, tiny_model, triplets, tmp_path / "resumed", "--save-steps", 2, "--max-steps", 5)
    rest = train(engine, tiny_model, triplets, tmp_path / "resumed", "--save-steps", 2, "--resume")
    assert len(whole) == 12
    losses = {row["step"]: row["loss"] for row in first + rest}
    assert losses == {row["step"]: row["loss"] for row in whole}
    assert sha256(tmp_path / "whole/adapter_model.safetensors") == sha256(tmp_path / "resumed/adapter_model.safetensors")
    assert not (tmp_path / "resumed.checkpoints").exists()  # nothing is left to go on with


def start(engine, *words):
    return subprocess.Popen([str(engine.path), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_training_that_was_killed_or_stopped_goes_on_exactly(engine, tiny_model, triplets, tmp_path, how):
    flags = ["--num-train-epochs", 10, "--save-steps", 5]
    whole = train(engine, tiny_model, triplets, tmp_path / "whole", *flags)
    process = start(engine, *arguments(tiny_model, triplets, tmp_path / "parted", *flags))
    seen = [json.loads(process.stdout.readline()) for _ in range(12)]
    process.send_signal(how)
    rest, err = process.communicate(timeout=60)
    seen += [json.loads(line) for line in rest.splitlines() if line.endswith("}")]
    assert process.returncode == (0 if how == signal.SIGTERM else -signal.SIGKILL), err
    assert not (tmp_path / "parted").exists()
    refused = engine(*arguments(tiny_model, triplets, tmp_path / "parted", *flags))
    assert refused.returncode == 2 and "--resume" in refused.stderr
    rows = train(engine, tiny_model, triplets, tmp_path / "parted", *flags, "--resume")
    if how == signal.SIGTERM:
        assert "--resume" in err
        assert rows[0]["step"] == seen[-1]["step"] + 1  # the stop left a checkpoint of its own
    losses = {row["step"]: row["loss"] for row in whole}
    assert all(losses[row["step"]] == row["loss"] for row in seen + rows)
    assert rows[-1]["step"] == whole[-1]["step"] == 60
    assert sha256(tmp_path / "whole/adapter_model.safetensors") == sha256(tmp_path / "parted/adapter_model.safetensors")


def test_a_second_signal_ends_it_at_once(engine, tiny_model, triplets, tmp_path):
    process = start(engine, *arguments(tiny_model, triplets, tmp_path / "a", "--num-train-epochs", 100))
    process.stdout.readline()  # it is in the midst of its steps
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_an_output_in_the_way_is_refused_and_a_finished_one_is_left_alone(engine, tiny_model, triplets, tmp_path):
    train(engine, tiny_model, triplets, tmp_path / "a")
    before = sha256(tmp_path / "a/adapter_model.safetensors")
    again = engine(*arguments(tiny_model, triplets, tmp_path / "a"))
    assert again.returncode == 2 and str(tmp_path / "a") in again.stderr and "--resume" in again.stderr
    finished = engine(*arguments(tiny_model, triplets, tmp_path / "a", "--resume"))
    assert finished.returncode == 0 and "already" in finished.stderr and finished.stdout == ""
    other = engine(*arguments(tiny_model, triplets, tmp_path / "a", "--resume", "--lambda", 1.3))
    assert other.returncode == 2 and "objective.lambda" in other.stderr
    assert sha256(tmp_path / "a/adapter_model.safetensors") == before


def test_a_manifest_trains_as_its_triplets_do(engine, cutd, tiny_model, triplets, tmp_path):
    rows = [json.loads(line) for line in cutd.ok("data", "prepare", "--data", triplets, "--model", tiny_model, "--json").splitlines()]
    lines = [{"format": "cutd-manifest/1", "model": "tiny", "template": "alpaca", "append_eos": "always"}]
    for row in rows:
        plain, judged = row["plain"], row.get("judged")
        lines.append({"instruction_hash": f"{row['position']:03}", "response_hash": "", "judgment_hash": "", "source": "test", "kind": row["kind"],
                      "prompt_ids": plain["ids"][:plain["n_masked"]], "prompt_judge_ids": judged["ids"][:judged["n_masked"]] if judged else None,
                      "response_ids": plain["ids"][plain["n_masked"]:], "weight": 1})
    write_rows(tmp_path / "manifest.jsonl", lines)
    from_triplets = train(engine, tiny_model, triplets, tmp_path / "a")
    from_manifest = train(engine, tiny_model, tmp_path / "manifest.jsonl", tmp_path / "b")
    assert [row["loss"] for row in from_triplets] == [row["loss"] for row in from_manifest]
    assert sha256(tmp_path / "a/adapter_model.safetensors") == sha256(tmp_path / "b/adapter_model.safetensors")


def logprobs_of(engine, model, tmp_path, ids, *flags):
    source = write_rows(tmp_path / "in.jsonl", [{"id": 0, "ids": ids}])
    engine.ok("logprobs", "--model", model, *flags, "--input", source, "--output", tmp_path / "out.jsonl")
    return read_rows(tmp_path / "out.jsonl")[0]["logprobs"][1:]


def hugging_face_logprobs(model, ids):
    import torch

    with torch.no_grad():
        logp = torch.log_softmax(model(torch.tensor([ids])).logits[0].float(), -1)
    return [logp[t, ids[t + 1]].item() for t in range(len(ids) - 1)]


def test_peft_loads_the_adapter_and_computes_the_same(engine, tiny_model, triplets, tmp_path):
    import peft
    import transformers

    train(engine, tiny_model, triplets, tmp_path / "adapter", "--learning-rate", 1e-2)
    ids = list(range(40, 72))
    ours = logprobs_of(engine, tiny_model, tmp_path, ids, "--adapter", tmp_path / "adapter")
    base = transformers.AutoModelForCausalLM.from_pretrained(tiny_model)
    model = peft.PeftModel.from_pretrained(base, tmp_path / "adapter")
    assert ours == pytest.approx(hugging_face_logprobs(model, ids), abs=1e-4)
    assert ours != pytest.approx(logprobs_of(engine, tiny_model, tmp_path, ids), abs=1e-3)
    config = json.loads((tmp_path / "adapter/adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["base_model_name_or_path"]) == (16, 16, str(tiny_model))


@pytest.mark.parametrize("targets", ["q_proj,v_proj", "o_proj,down_proj", "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"])
def test_every_target_module_is_trained_and_loads(engine, tiny_model, triplets, tmp_path, targets):
    import peft
    import transformers

    train(engine, tiny_model, triplets, tmp_path / "adapter", "--lora-target-modules", targets, "--lora-r", 3, "--lora-alpha", 5, "--learning-rate", 1e-2)
    ids = list(range(40, 72))
    ours = logprobs_of(engine, tiny_model, tmp_path, ids, "--adapter", tmp_path / "adapter")
    model = peft.PeftModel.from_pretrained(transformers.AutoModelForCausalLM.from_pretrained(tiny_model), tmp_path / "adapter")
    assert set(model.peft_config["default"].target_modules) == set(targets.split(","))
    assert ours == pytest.approx(hugging_face_logprobs(model, ids), abs=1e-4)


def test_an_adapter_trained_by_peft_is_a_start(engine, tiny_model, triplets, tmp_path):
    import peft
    import torch
    import transformers

    torch.manual_seed(3)
    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules=["up_proj", "down_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    peft.get_peft_model(transformers.AutoModelForCausalLM.from_pretrained(tiny_model), config).save_pretrained(tmp_path / "start")
    # With a learning rate of 0 the values come out as they went in.
    train(engine, tiny_model, triplets, tmp_path / "same", "--init-adapter", tmp_path / "start", "--learning-rate", 0)
    from safetensors.torch import load_file

    before, after = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("start", "same"))
    assert set(before) == set(after)
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_merged_model_loads_in_transformers(engine, tiny_model, triplets, tmp_path, dtype):
    import torch
    import transformers

    base = tmp_path / "base"
    transformers.AutoModelForCausalLM.from_pretrained(tiny_model).to(getattr(torch, dtype)).save_pretrained(base)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tiny_model / name, base / name)
    train(engine, base, triplets, tmp_path / "adapter", "--learning-rate", 1e-2)
    said = json.loads(engine.ok("merge", "--model", base, "--adapter", tmp_path / "adapter", "--output", tmp_path / "merged", "--json"))
    ids = list(range(40, 72))
    expected = logprobs_of(engine, base, tmp_path, ids, "--adapter", tmp_path / "adapter")
    merged = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert merged.dtype == getattr(torch, dtype)
    assert hugging_face_logprobs(merged.float(), ids) == pytest.approx(expected, abs=2 * said["max_logit_difference"] + 1e-4)
    assert said["max_logit_difference"] < (1e-4 if dtype == "float32" else 0.1)
    assert (said["max_logit_difference"] > 1e-5) == (dtype == "bfloat16")  # rounding shows, and only there
    assert (tmp_path / "merged/tokenizer.json").exists()
    again = engine("merge", "--model", base, "--adapter", tmp_path / "adapter", "--output", tmp_path / "merged")
    assert again.returncode == 2 and "merged" in again.stderr


def test_the_merged_shards_of_a_sharded_base_load(engine, tiny_model, triplets, tmp_path):
    import transformers

    base = tmp_path / "base"
    transformers.AutoModelForCausalLM.from_pretrained(tiny_model).save_pretrained(base, max_shard_size="300KB")
    assert len(list(base.glob("model-*.safetensors"))) > 1
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tiny_model / name, base / name)
    train(engine, base, triplets, tmp_path / "adapter", "--learning-rate", 1e-2)
    engine.ok("merge", "--model", base, "--adapter", tmp_path / "adapter", "--output", tmp_path / "merged")
    ids = list(range(40, 72))
    expected = logprobs_of(engine, base, tmp_path, ids, "--adapter", tmp_path / "adapter")
    merged = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert hugging_face_logprobs(merged, ids) == pytest.approx(expected, abs=1e-4)


def test_a_merged_model_has_the_type_that_was_asked_for(engine, tiny_model, triplets, tmp_path):
    import torch
    import transformers

    base = tmp_path / "base"
    transformers.AutoModelForCausalLM.from_pretrained(tiny_model).save_pretrained(base, max_shard_size="300KB")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tiny_model / name, base / name)
    train(engine, base, triplets, tmp_path / "adapter", "--learning-rate", 1e-2)
    folders = {dtype: tmp_path / dtype for dtype in ("bfloat16", "float32")}
    for dtype, folder in folders.items():
        engine.ok("merge", "--model", base, "--adapter", tmp_path / "adapter", "--output", folder, "--dtype", dtype)
    ids = list(range(40, 72))
    expected = logprobs_of(engine, base, tmp_path, ids, "--adapter", tmp_path / "adapter")
    for dtype, folder in folders.items():
        merged = transformers.AutoModelForCausalLM.from_pretrained(folder)
        assert merged.dtype == getattr(torch, dtype)
        assert {value.dtype for value in merged.state_dict().values()} == {getattr(torch, dtype)}
        assert hugging_face_logprobs(merged.float(), ids) == pytest.approx(expected, abs=1e-4 if dtype == "float32" else 0.2)
        size = json.loads((folder / "model.safetensors.index.json").read_text())["metadata"]["total_size"]
        assert size == sum(value.numel() * value.element_size() for value in merged.to(getattr(torch, dtype)).state_dict().values()) \
            - (merged.lm_head.weight.numel() * merged.lm_head.weight.element_size())  # tied: once in the files
    wrong = engine("merge", "--model", base, "--adapter", tmp_path / "adapter", "--output", tmp_path / "x", "--dtype", "int8")
    assert wrong.returncode == 2 and "int8" in wrong.stderr


def test_an_adapter_of_another_base_is_refused(engine, tiny_model, triplets, tmp_path):
    train(engine, tiny_model, triplets, tmp_path / "adapter")
    other = tmp_path / "other"
    shutil.copytree(tiny_model, other, ignore=shutil.ignore_patterns(".cutd-fingerprint.json"))
    settings = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**settings, "rms_norm_eps": 1e-5}))
    for command in (["merge", "--output", tmp_path / "merged"], ["train", "--data", triplets, "--output", tmp_path / "b"]):
        done = engine(command[0], "--model", other, "--adapter", tmp_path / "adapter", *command[1:])
        assert done.returncode == 3, done.stderr
        assert "base model" in done.stderr and "adapter" in done.stderr
    assert not (tmp_path / "merged").exists() and not (tmp_path / "b").exists()


def test_the_configuration_file_counts_and_flags_come_after_it(engine, tiny_model, triplets, tmp_path):
    (tmp_path / "train.yaml").write_text("objective: {variant: released, lambda: 1.2}\nlora: {r: 2, dropout: 0}\n"
                                         "train: {learning_rate: 2e-3, save_steps: 0}\ntemplate: {name: alpaca}\n")
    engine.ok("train", "--model", tiny_model, "--data", triplets, "--output", tmp_path / "a", "--config", tmp_path / "train.yaml",
              "--lambda", 1.4, "--max-steps", 1)
    work = json.loads((tmp_path / "a/training.json").read_text())["work"]
    assert work["objective"]["variant"] == "released" and work["objective"]["lambda"] == 1.4
    assert work["lora"]["r"] == 2 and work["train"]["learning_rate"] == 2e-3


def test_the_shipped_setting_of_the_paper_trains(engine, tiny_model, triplets, tmp_path):
    rows = read_rows_of(engine.ok("train", "--model", tiny_model, "--data", triplets, "--output", tmp_path / "a", "--json",
                                  "--config", ROOT / "examples/paper-training.yaml"))
    assert len(rows) >= 1 and all(row["loss"] > 0 for row in rows)
    work = json.loads((tmp_path / "a/training.json").read_text())["work"]
    assert work["objective"]["variant"] == "released" and work["train"]["warmup_steps"] == 100
    assert rows[0]["learning_rate"] == pytest.approx(4e-4 / 100) or rows[0]["learning_rate"] == 0


def test_the_chat_template_is_a_second_choice(engine, tiny_model, smollm2, triplets, tmp_path):
    model = tmp_path / "chatty"
    shutil.copytree(tiny_model, model, ignore=shutil.ignore_patterns(".cutd-fingerprint.json"))
    for name in ("tokenizer_config.json", "chat_template.jinja"):
        if (smollm2 / name).exists():
            shutil.copyfile(smollm2 / name, model / name)
    alpaca = train(engine, model, triplets, tmp_path / "a", "--max-steps", 1)
    chat = train(engine, model, triplets, tmp_path / "b", "--max-steps", 1, "--template", "chat", "--system", "Be brief.")
    assert alpaca[0]["loss"] != chat[0]["loss"] and alpaca[0]["tokens"] != chat[0]["tokens"]


def test_an_unknown_configuration_key_is_named(engine, tiny_model, triplets, tmp_path):
    (tmp_path / "train.yaml").write_text("train:\n  learning_rat: 1\n")
    done = engine("train", "--model", tiny_model, "--data", triplets, "--output", tmp_path / "a", "--config", tmp_path / "train.yaml")
    assert done.returncode == 2
    assert "learning_rat" in done.stderr and "train.yaml" in done.stderr


@pytest.mark.parametrize("flags, named", [
    (["--lora-target-modules", "no_proj"], "no_proj"),
    (["--objective", "dpo"], "--objective"),
    (["--learning-rate", "fast"], "--learning-rate"),
    (["--dtype", "float16"], "--dtype"),
    (["--no-such-key", "1"], "no-such-key"),
])
def test_a_wrong_flag_exits_with_2_and_is_named(engine, tiny_model, triplets, tmp_path, flags, named):
    done = engine("train", "--model", tiny_model, "--data", triplets, "--output", tmp_path / "a", *flags)
    assert done.returncode == 2, done.stderr
    assert named in done.stderr
    assert not (tmp_path / "a").exists()


def test_a_broken_triplet_is_named(engine, tiny_model, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps([{"id": 0, "instruction": "a", "input": "", "output": "b", "judgment": None}, {"id": 1}]))
    done = engine("train", "--model", tiny_model, "--data", tmp_path / "t.json", "--output", tmp_path / "a")
    assert done.returncode == 3
    assert "t.json" in done.stderr and "instruction" in done.stderr


def test_a_full_disk_is_named_and_the_training_goes_on_afterwards(engine, tiny_model, triplets, tmp_path):
    whole = train(engine, tiny_model, triplets, tmp_path / "whole", "--save-steps", 2)
    words = arguments(tiny_model, triplets, tmp_path / "a", "--save-steps", 2)
    done = engine(*words, env={**os.environ, "CUTD_FAIL_IO": "write:25+"})
    assert done.returncode == 1 and "No space left" in done.stderr
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    rest = train(engine, tiny_model, triplets, tmp_path / "a", "--save-steps", 2, "--resume")
    losses = {row["step"]: row["loss"] for row in seen + rest}
    assert losses == {row["step"]: row["loss"] for row in whole}
    assert sha256(tmp_path / "whole/adapter_model.safetensors") == sha256(tmp_path / "a/adapter_model.safetensors")
