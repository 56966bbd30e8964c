"""`cutd-engine logprobs` and `generate` against Hugging Face's numbers."""

import json

import pytest

from conftest import read_rows, write_rows


@pytest.mark.parametrize("model", ["llama", "llama3-gqa"])
def test_log_probabilities_of_tiny_models_match(engine, golden, tmp_path, model):
    folder = golden / "models" / model
    cases = [c for c in json.loads((folder / "cases.json").read_text())["cases"] if len(c["input_ids"]) > 1]
    source = write_rows(tmp_path / "in.jsonl", [{"id": c["name"], "ids": c["input_ids"]} for c in cases])
    engine.ok("logprobs", "--model", folder, "--dtype", "float32", "--input", source, "--output", tmp_path / "out.jsonl")
    rows = read_rows(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == [c["name"] for c in cases]
    for row, case in zip(rows, cases):
        assert row["logprobs"][0] is None and row["top1"][0] is None
        assert row["logprobs"][1:] == pytest.approx(case["next_token_logprobs"], abs=1e-4)


@pytest.mark.parametrize("model", ["llama", "llama3-gqa"])
def test_greedy_text_of_tiny_models_is_exact(engine, golden, tmp_path, model):
    folder = golden / "models" / model
    cases = json.loads((folder / "cases.json").read_text())["cases"]
    source = write_rows(tmp_path / "in.jsonl", [{"id": i, "ids": c["input_ids"]} for i, c in enumerate(cases)])
    engine.ok("generate", "--model", folder, "--dtype", "float32", "--input", source, "--output", tmp_path / "out.jsonl",
              "--max-new-tokens", 48, "--ignore-eos", "--batch", 3)
    for row, case in zip(read_rows(tmp_path / "out.jsonl"), cases):
        assert row["ids"] == case["greedy_48"]
        assert row["finish_reason"] == "length"
        assert row["logprobs"] == pytest.approx(case["greedy_48_logprobs"], abs=1e-4)


def test_greedy_text_of_smollm2_matches(engine, golden, smollm2, tmp_path):
    cases = json.loads((golden / "smollm2/greedy.json").read_text())["cases"]
    source = write_rows(tmp_path / "in.jsonl", [{"id": i, "ids": c["prompt_ids"]} for i, c in enumerate(cases)])
    engine.ok("generate", "--model", smollm2, "--dtype", "float32", "--input", source, "--output", tmp_path / "out.jsonl",
              "--max-new-tokens", 64)
    for row, case in zip(read_rows(tmp_path / "out.jsonl"), cases):
        if case.get("min_top2_margin", 1) < 1e-3:
            continue
        assert row["ids"] == case["new_ids"]
        assert row["text"] == case["text"].removesuffix("<|im_end|>")
        assert row["finish_reason"] == ("stop" if case["stopped_on_eos"] else "length")


def test_sampling_repeats_with_its_seed_and_differs_with_another(engine, smollm2, tmp_path):
    source = write_rows(tmp_path / "in.jsonl", [{"id": i, "messages": [{"role": "user", "content": "Tell me about a tree."}]} for i in range(3)])
    texts = []
    for seed in (1, 1, 2):
        engine.ok("generate", "--model", smollm2, "--input", source, "--output", tmp_path / "out.jsonl", "--max-new-tokens", 16,
                  "--temperature", 1, "--seed", seed)
        texts.append([row["ids"] for row in read_rows(tmp_path / "out.jsonl")])
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_a_stop_string_is_cut_from_the_text_and_its_tokens_are_kept(engine, smollm2, tmp_path):
    source = write_rows(tmp_path / "in.jsonl", [{"id": "x", "messages": [{"role": "user", "content": "What is the capital of France?"}]}])
    engine.ok("generate", "--model", smollm2, "--input", source, "--output", tmp_path / "out.jsonl", "--max-new-tokens", 16,
              "--stop", " of Fra")
    (row,) = read_rows(tmp_path / "out.jsonl")
    assert row["text"] == "The capital"
    assert row["finish_reason"] == "stop"
    assert len(row["ids"]) == len(row["logprobs"]) == 4


PROMPTS = ["What is the capital of France?", "Name three colours.", "Why is the sea salty?"]


def transformers_model(folder):
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    prompts = [tokenizer.apply_chat_template([{"role": "user", "content": text}], add_generation_prompt=True, return_dict=False)
               for text in PROMPTS]
    return torch, transformers, model, prompts


def test_greedy_text_with_a_repetition_penalty_is_that_of_transformers(engine, smollm2, tmp_path):
    torch, _, model, prompts = transformers_model(smollm2)
    source = write_rows(tmp_path / "in.jsonl", [{"id": i, "ids": ids} for i, ids in enumerate(prompts)])
    engine.ok("generate", "--model", smollm2, "--dtype", "float32", "--input", source, "--output", tmp_path / "out.jsonl",
              "--max-new-tokens", 32, "--repetition-penalty", 1.3)
    for row, ids in zip(read_rows(tmp_path / "out.jsonl"), prompts):
        with torch.inference_mode():
            expected = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), max_new_tokens=32,
                                      do_sample=False, repetition_penalty=1.3, pad_token_id=0)[0, len(ids):].tolist()
        assert row["ids"] == expected


def test_sampled_tokens_are_among_those_that_transformers_filters_leave(engine, smollm2, tmp_path):
    torch, transformers, model, prompts = transformers_model(smollm2)
    source = write_rows(tmp_path / "in.jsonl", [{"id": i, "ids": ids} for i, ids in enumerate(prompts * 4)])
    engine.ok("generate", "--model", smollm2, "--dtype", "float32", "--input", source, "--output", tmp_path / "out.jsonl",
              "--max-new-tokens", 24, "--temperature", 1.5, "--min-p", 0.08, "--repetition-penalty", 1.2, "--seed", 3)
    filters = transformers.LogitsProcessorList([
        transformers.RepetitionPenaltyLogitsProcessor(1.2), transformers.TemperatureLogitsWarper(1.5), transformers.MinPLogitsWarper(0.08)])
    unlikeliest = 0
    for row, ids in zip(read_rows(tmp_path / "out.jsonl"), prompts * 4):
        whole = torch.tensor([ids + row["ids"]])
        with torch.inference_mode():
            logits = model(whole).logits[0]
        for step, chosen in enumerate(row["ids"]):
            at = len(ids) + step
            scores = filters(whole[:, :at], logits[at - 1:at].clone())[0]
            # Half a percent of room at the border: the two programs add in different orders.
            left = torch.softmax(scores, 0)[chosen].item() > 0
            raw = torch.softmax(filters[:2](whole[:, :at], logits[at - 1:at].clone())[0], 0) if not left else None
            assert left or raw[chosen] > 0.08 * 0.995 * raw.max()
            unlikeliest = max(unlikeliest, scores.argmax().item() != chosen)
    assert unlikeliest  # it did sample


def test_a_stop_string_that_ends_within_a_token_keeps_the_text_before_it(engine, smollm2, tmp_path):
    source = write_rows(tmp_path / "in.jsonl", [{"id": "x", "messages": [{"role": "user", "content": "What is the capital of France?"}]}])
    engine.ok("generate", "--model", smollm2, "--input", source, "--output", tmp_path / "out.jsonl", "--max-new-tokens", 16,
              "--stop", "apital of F", "--stop", "no such text")
    (row,) = read_rows(tmp_path / "out.jsonl")
    assert row["text"] == "The c"
    assert row["finish_reason"] == "stop"


def test_what_was_written_is_said_in_a_sentence_or_as_json(engine, golden, tmp_path):
    source = write_rows(tmp_path / "in.jsonl", [{"id": i, "ids": [1, 2, 3]} for i in range(2)])
    for command, flags, tokens in (("logprobs", [], 6), ("generate", ["--max-new-tokens", 5, "--ignore-eos"], 10)):
        words = [command, "--model", golden / "models/llama", "--input", source, "--output", tmp_path / "out.jsonl", *flags]
        assert f"2 rows, {tokens} tokens" in engine.ok(*words)
        assert json.loads(engine.ok(*words, "--json")) == {"output": str(tmp_path / "out.jsonl"), "rows": 2, "tokens": tokens}


@pytest.mark.parametrize("broken, named", [
    ('{"id":1,"ids":[1,2', "in.jsonl:1"),
    ('{"id":1}', "in.jsonl:1"),
    ('{"id":1,"ids":[1,99999999]}', "in.jsonl:1"),
])
def test_a_broken_input_line_is_named(engine, golden, tmp_path, broken, named):
    (tmp_path / "in.jsonl").write_text(broken + "\n")
    for command in ("logprobs", "generate"):
        extra = ["--max-new-tokens", 4] if command == "generate" else []
        done = engine(command, "--model", golden / "models/llama", "--input", tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl", *extra)
        assert done.returncode == 3, done.stderr
        assert named in done.stderr
        assert not (tmp_path / "out.jsonl").exists()


def test_a_missing_model_is_named(engine, tmp_path):
    source = write_rows(tmp_path / "in.jsonl", [{"id": 1, "ids": [1]}])
    done = engine("logprobs", "--model", tmp_path / "absent", "--input", source, "--output", tmp_path / "out.jsonl")
    assert done.returncode == 3
    assert "absent" in done.stderr


def test_a_truncated_model_file_is_named(engine, golden, tmp_path):
    import shutil

    folder = tmp_path / "model"
    shutil.copytree(golden / "models/llama", folder)
    weights = folder / "model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-100])
    source = write_rows(tmp_path / "in.jsonl", [{"id": 1, "ids": [1]}])
    done = engine("logprobs", "--model", folder, "--input", source, "--output", tmp_path / "out.jsonl")
    assert done.returncode == 3
    assert "model.safetensors" in done.stderr


def test_wrong_flags_exit_with_2(engine, cutd):
    assert engine("generate", "--no-such-flag").returncode == 2
    assert engine("no-such-command").returncode == 2
    assert cutd("run", "no-such-command").returncode == 2
    assert cutd("--help").returncode == 0


def test_bench_prints_its_contract(engine, golden):
    for mode in ("generate", "prefill", "train"):
        text = engine.ok("bench", "--model", golden / "models/llama", "--mode", mode, "--batch", 2, "--prompt-tokens", 16,
                         "--new-tokens", 96, "--dtype", "float32", "--json")
        result = json.loads(text.splitlines()[-1])
        for key in ("mode", "batch", "dtype", "tokens_per_second", "prefill_tokens_per_second", "peak_memory_bytes", "threads"):
            assert key in result
        assert result["mode"] == mode and result["tokens_per_second"] > 0
