"""The annotation queue under 200 people and 1,000 items, each judged by three of them, over real HTTP.

People think for half a second to one and a half, or so long that the work takes --minutes; they skip, give back and go away; the daemon
is killed meanwhile. The long form of promise P23: --minutes 30 --kills 100. Checked:
every item is counted exactly three times, by three people, and nobody holds or settles one twice. Prints one JSON line: how long
each claim and each submission took from its request to its reply (kills left out; claims that found nothing apart), and how long all of it took. The engine is the tests' (no model).
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from annotation_setting import make_setting, state_of, what_was_counted  # noqa: E402
from annotators import Annotator, people_with_tokens  # noqa: E402
from conftest import Program  # noqa: E402


def share(sorted_values, at):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * at))]


def milliseconds(values):
    values = sorted(values)
    return {f"p{round(at * 100)}": round(1000 * share(values, at), 1) for at in (0.5, 0.95, 0.99)} | {"max": round(1000 * values[-1], 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, type=pathlib.Path, help="folder of the built programs")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--overlap", type=int, default=3)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=0, help="that the work is spread over, kills included (0: as fast as it goes)")
    parser.add_argument("--judgments", type=int, default=0, help="that the store holds already (seed_store)")
    parser.add_argument("--model", help="not used: the engine of this bench needs none")
    options = parser.parse_args()
    bin_folder = options.bin.resolve()
    think, lease_minutes, pause, longest = (0.5, 1.5), 0.25, (3, 5), 900
    if options.minutes:
        seconds = 60 * options.minutes
        mean = 0.85 * seconds * options.people / (options.items * options.overlap)  # the rest: what is skipped and left lying
        think, lease_minutes = (0.5 * mean, 1.5 * mean), max(0.25, 2 * mean / 60)
        pause = (0.7 * seconds / max(1, options.kills), 1.1 * seconds / max(1, options.kills))
        longest = 2 * seconds + 900
    with tempfile.TemporaryDirectory() as folder:
        daemon, config = make_setting(pathlib.Path(folder), bin_folder, options.items, options.overlap, lease_minutes)
        if options.judgments:
            subprocess.run([bin_folder / "seed_store", daemon.data, str(options.judgments)], check=True)
        daemon.start()
        cutd = Program(bin_folder / "cutd")
        over = threading.Event()
        people = [Annotator(number, ("127.0.0.1", daemon.port), token, over, think=think, patience=1.0)
                  for number, token in enumerate(people_with_tokens(cutd, daemon.data, options.people))]
        cutd.ok("run", "start", "--config", config, "--data-dir", daemon.data)
        begun = time.monotonic()
        for person in people:
            person.start()
        down = []  # when the daemon was away
        moments = random.Random(5)
        for _ in range(options.kills):
            time.sleep(moments.uniform(*pause))
            gone = time.monotonic()
            daemon.kill()
            daemon.start()
            down.append((gone, time.monotonic() + 1))
        while state_of(daemon.data) == "active" and time.monotonic() - begun < longest:
            time.sleep(0.5)
        seconds = time.monotonic() - begun
        over.set()
        for person in people:
            person.join(60)
        state = state_of(daemon.data)
        daemon.stop()
        done, tasks = what_was_counted(daemon.data)
        failures = [repr(person.failure) for person in people if person.failure]
    exact = all(len(users) == options.overlap == len(set(users)) for users in done.values()) and len(done) == len(tasks)
    claims, nothing, submits = (answered(people, action, down) for action in ("claim", "nothing", "submit"))
    print(json.dumps({
        "bench": "queue", "people": options.people, "items": len(tasks), "overlap": options.overlap, "kills": options.kills,
        "stored_judgments": options.judgments,
        "exact": exact, "run": state, "seconds": round(seconds, 1), "counted": sum(map(len, done.values())),
        "surplus": sum(len(person.surplus) for person in people), "skipped": sum(len(person.skipped) for person in people),
        "claim_ms": milliseconds(claims), "nothing_ms": milliseconds(nothing), "submit_ms": milliseconds(submits),
        "claims": len(claims), "claims_of_nothing": len(nothing)}))
    if failures or not exact or state != "completed":
        sys.exit(f"the queue did not keep its promise: {failures[:3]}")


def answered(people, action, down):
    """How long each answered request took; those that met a kill, or the second after the restart, are left out."""
    return [took for person in people for at, took in person.replies.get(action, []) if not away(down, at, took)]


def away(down, at, took):
    return any(at + took > gone and at < back for gone, back in down)


if __name__ == "__main__":
    main()
