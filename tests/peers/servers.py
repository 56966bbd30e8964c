"""The two servers of llama.cpp: its own, and llama-cpp-python's. Both serve SmolLM2-135M-Instruct as "judge" on loopback."""

import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

CACHE = pathlib.Path(os.environ.get("CUTD_CACHE_DIR", pathlib.Path.home() / ".cache/cutd"))
MODEL = CACHE / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
NAME = "judge"
KEY = "canary-peers-key"
CONTEXT = 2048  # tokens of one sequence
SLOTS = 4
# One: llama.cpp's threads wait for each other in a loop, and crawl where other programs have the cores.
THREADS = 1


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Server:
    def __init__(self, command, port, log):
        self.port = port
        self.log = log
        with open(log, "w") as file:
            self.process = subprocess.Popen(list(map(str, command)), stdout=file, stderr=file, stdin=subprocess.DEVNULL)
        try:
            self.wait_until_up()
        except BaseException:
            self.stop()
            raise

    def wait_until_up(self, seconds=300):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/models", headers={"Authorization": f"Bearer {KEY}"})
        end = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, f"the server ended by itself:\n{self.log.read_text()[-4000:]}"
            assert time.monotonic() < end, f"the server does not come up:\n{self.log.read_text()[-4000:]}"
            try:
                with urllib.request.urlopen(request, timeout=10):
                    return
            except (urllib.error.URLError, OSError):  # nobody listens yet, or 503 while the model is loaded
                time.sleep(0.2)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_llama_server(folder):
    port = free_port()
    program = os.environ.get("LLAMA_SERVER", "llama-server")
    return Server([program, "--model", MODEL, "--alias", NAME, "--api-key", KEY, "--host", "127.0.0.1", "--port", port,
                   "--ctx-size", CONTEXT * SLOTS, "--parallel", SLOTS, "--threads", THREADS, "--offline"],
                  port, folder / "llama-server.log")


def start_llama_cpp_python(folder):
    port = free_port()
    return Server([sys.executable, "-m", "llama_cpp.server", "--model", MODEL, "--model_alias", NAME, "--api_key", KEY,
                   "--host", "127.0.0.1", "--port", port, "--n_ctx", CONTEXT, "--n_threads", THREADS,
                   "--n_threads_batch", THREADS], port, folder / "llama-cpp-python.log")
