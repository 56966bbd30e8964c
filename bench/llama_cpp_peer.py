"""A process with one GGUF model in llama.cpp, through its C interface: the peer of bench_llama_cpp.py.

    llama_cpp_peer.py MODEL.gguf auto|off THREADS      (flash attention)

Reads a request a line, [sequences, prompt tokens, new tokens], and answers with a line of rates. Sequences are decoded
together, each with a KV cache of its own; a step's logits are read by NumPy's argmax, as the engine's are by its own.
"""

import ctypes
import json
import random
import resource
import sys
import time

import llama_cpp as llama
import numpy

BATCH = 2048  # tokens of one call, llama.cpp's own default

QUIET = llama.llama_log_callback(lambda level, text, data: None)


def load(path, flash, threads):
    llama.llama_log_set(QUIET, ctypes.c_void_p(0))
    llama.llama_backend_init()
    model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
    if not model:
        sys.exit(f"llama.cpp does not load {path}")

    def context(sequences, tokens):
        params = llama.llama_context_default_params()
        params.n_ctx = sequences * tokens
        params.n_seq_max = sequences
        params.n_batch = BATCH
        params.n_threads = params.n_threads_batch = threads
        params.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_AUTO if flash == "auto" else llama.LLAMA_FLASH_ATTN_TYPE_DISABLED
        made = llama.llama_init_from_model(model, params)
        if not made:
            sys.exit(f"llama.cpp makes no context of {sequences} sequences of {tokens} tokens")
        return made

    return model, context


class Sequences:
    """Some sequences in one context, decoded in lockstep."""

    def __init__(self, model, context):
        self.vocab = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
        self.context = context
        self.batch = llama.llama_batch_init(BATCH, 0, 1)

    def close(self):
        llama.llama_batch_free(self.batch)
        llama.llama_free(self.context)

    def clear(self):
        llama.llama_memory_clear(llama.llama_get_memory(self.context), True)

    def decode(self, entries):
        """entries: (token, position, sequence, whether its logits are wanted). The likeliest next token of each wanted."""
        chosen = []
        for start in range(0, len(entries), BATCH):
            part = entries[start:start + BATCH]
            batch = self.batch
            batch.n_tokens = len(part)
            for i, (token, position, sequence, wanted) in enumerate(part):
                batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, position, 1, wanted
                batch.seq_id[i][0] = sequence
            code = llama.llama_decode(self.context, batch)
            if code != 0:
                sys.exit(f"llama_decode ended with {code}")
            chosen += [self.likeliest(i) for i, entry in enumerate(part) if entry[3]]
        return chosen

    def likeliest(self, index):
        logits = llama.llama_get_logits_ith(self.context, index)
        return int(numpy.ctypeslib.as_array(logits, shape=(self.vocab,)).argmax())

    def seconds(self, prompts, new):
        """Of the prompts and `new` tokens after each."""
        self.clear()
        start = time.perf_counter()
        tokens = self.decode([(token, position, sequence, position + 1 == len(prompt))
                              for sequence, prompt in enumerate(prompts) for position, token in enumerate(prompt)])
        for step in range(new - 1):
            tokens = self.decode([(token, len(prompts[0]) + step, sequence, True) for sequence, token in enumerate(tokens)])
        return time.perf_counter() - start


def measure(model, context, sequences, prompt_tokens, new):
    run = Sequences(model, context(sequences, prompt_tokens + new))
    draw = random.Random(1)
    prompts = [[draw.randrange(run.vocab) for _ in range(prompt_tokens)] for _ in range(sequences)]
    run.seconds(prompts, 2)
    first, whole = (min(run.seconds(prompts, count), run.seconds(prompts, count)) for count in (1, new))
    run.close()
    if whole <= first:
        sys.exit("other work disturbed the times; run it again")
    return {"tokens_per_second": sequences * (new - 1) / (whole - first),
            "prefill_tokens_per_second": sequences * prompt_tokens / first,
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def main():
    path, flash, threads = sys.argv[1:4]
    model, context = load(path, flash, int(threads))
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(measure(model, context, *json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
