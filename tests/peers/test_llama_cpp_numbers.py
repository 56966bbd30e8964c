"""cutd-engine against llama.cpp: one GGUF file, two programs that each read, template, tokenise and compute it."""

import json
import random
import subprocess
import sys

import llama_cpp
import numpy
import pytest
from conftest import BIN, ROOT
from servers import MODEL, THREADS

sys.path.insert(0, str(ROOT / "bench"))
import bench_llama_cpp  # noqa: E402

QUESTIONS = ["What is the capital of France?", "Name three primary colours.", "Say \"naïve café\" – twice, with 12  spaces!",
             "Write one sentence about the sea.", "x =   5\ny = 7\nWhat is x + y?", "你好 means what? 🙂"]
NEW = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """model/ as cutd imports it, which is in bfloat16; float32.gguf is the same as llama.cpp converts it, made wider again."""
    folder = tmp_path_factory.mktemp("numbers")
    subprocess.run([BIN / "cutd", "model", "import", MODEL, "--output", folder / "model"], check=True, capture_output=True)
    bench_llama_cpp.convert(MODEL, folder / "bfloat16.gguf", "bfloat16")
    bench_llama_cpp.convert(folder / "bfloat16.gguf", folder / "float32.gguf", "float32")
    yield folder
    for file in folder.glob("*.gguf"):  # 0.8 GB
        file.unlink()


@pytest.fixture(scope="module")
def peer(folder):
    """All in float32, keys and values too."""
    return llama_cpp.Llama(str(folder / "float32.gguf"), n_ctx=512, n_threads=THREADS, n_threads_batch=THREADS, logits_all=True,
                           type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32, verbose=False)


@pytest.fixture
def engine(folder, tmp_path):
    def run(command, rows, *arguments):
        (tmp_path / "in.jsonl").write_text("".join(json.dumps({"id": i, **row}) + "\n" for i, row in enumerate(rows)))
        done = subprocess.run([BIN / "cutd-engine", command, "--model", folder / "model", "--dtype", "float32", "--device", "cpu",
                               "--input", tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl", *arguments],
                              capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]

    return run


def test_greedy_answers_are_the_same_text(engine, peer, note):
    chats = [[{"role": "user", "content": question}] for question in QUESTIONS]
    ours = engine("generate", [{"messages": chat} for chat in chats], "--max-new-tokens", str(NEW))
    for chat, answer in zip(chats, ours):
        theirs = peer.create_chat_completion(chat, temperature=0, repeat_penalty=1.0, max_tokens=NEW)["choices"][0]
        assert answer["text"] == theirs["message"]["content"]
        assert answer["finish_reason"] == theirs["finish_reason"]
    note(f"{len(ours)} answers are equal")


def test_log_probabilities_are_the_same(engine, peer, note):
    draw = random.Random(3)
    rows = [[draw.randrange(17, peer.n_vocab()) for _ in range(length)] for length in (2, 17, 96, 300)]
    ours = engine("logprobs", [{"ids": ids} for ids in rows])
    worst = 0.0
    for ids, scores in zip(rows, ours):
        peer.reset()
        peer.eval(ids)
        logits = peer.scores[:len(ids)].astype(numpy.float64)
        theirs = logits - numpy.logaddexp.reduce(logits, axis=1, keepdims=True)
        for at in range(1, len(ids)):
            worst = max(worst, abs(scores["logprobs"][at] - theirs[at - 1][ids[at]]))
    note(f"the greatest difference of {sum(map(len, rows))} is {worst:.1e}")
    assert worst < 5e-4
