"""Who may include whom (docs/architecture.md, layers). Prints each violation; exit 1 if any."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# A module may include itself and these.
ALLOWED = {
    "native": [],
    "core": ["native"],
    "text": ["core", "native"],
    "weights": ["text", "core"],
    "dataset": ["text", "core"],
    "engine": ["core"],
    "evaluation": ["core"],
    "judge_client": ["llm_api", "dataset", "core"],
    "llm_api": ["core"],
    "pairwise": ["evaluation", "llm_api", "core"],
    "exchange": ["evaluation", "core"],
    "store": ["core"],
    "round": ["store", "judge_client", "evaluation", "dataset", "weights", "engine", "text", "core"],
    "server": ["round", "exchange", "store", "llm_api", "core"],
    "cutd": ["server", "round", "pairwise", "exchange", "llm_api", "store", "judge_client", "evaluation", "dataset", "weights", "engine", "text", "core"],
    "model": ["weights", "dataset", "text", "core", "cuda"],  # cuda: the plugin's function table alone
    "generator": ["model", "text", "core"],
    "trainer": ["model", "dataset", "weights", "core"],
    "cutd_engine": ["engine", "generator", "trainer", "model", "weights", "dataset", "text", "core"],
    "cuda": [],
}

# Third-party headers and the only places that may include them.
FENCED = {
    r"(ATen|torch|c10)/": ["model", "trainer", "generator", "cutd_engine", "cuda"],
    r"sqlite3\.h": ["store"],
    r"curl/": ["llm_api"],
    r"zlib\.h": ["llm_api", "exchange"],
    r"boost/": ["server", "engine", "cutd"],
    r"(sodium\.h|prometheus/)": ["server"],
    r"CLI/": ["cutd", "cutd_engine"],
    r"spdlog/": ["cutd"],
    r"native/": ["core", "text"],
}

INCLUDE = re.compile(r'^\s*#include\s*[<"]([^>"]+)[>"]', re.M)


def main() -> int:
    problems = []
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        module = path.relative_to(ROOT / "src").parts[0]
        for name in INCLUDE.findall(path.read_text()):
            where = f"{path.relative_to(ROOT)} includes {name}"
            target = name.split("/")[0]
            if "/" in name and target in ALLOWED and target != module and target not in ALLOWED[module]:
                problems.append(f"{where}: {module} may not depend on {target}")
            for pattern, owners in FENCED.items():
                if re.match(pattern, name) and module not in owners:
                    problems.append(f"{where}: only {', '.join(owners)} may")
    print("\n".join(problems) if problems else "includes keep the layers")
    return 1 if problems else 0


sys.exit(main())
