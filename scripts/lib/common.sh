# Shared by the scripts: where things are, how they speak. Sourced, not run.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${CUTD_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/cutd}
export CUTD_CACHE_DIR=$CACHE
JOBS=${CUTD_JOBS:-$(nproc)}

TORCH_VERSION=2.11.0
SQLITE_VERSION=3.54.1
TORCH_SITE=$CACHE/torch-$TORCH_VERSION
MODEL_GGUF=$CACHE/models/SmolLM2-135M-Instruct.Q4_1.gguf
MODEL_SHA256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Runs as root, directly or by sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"
  else die "need root (or sudo) for: $*"; fi
}

# So that the sanitizers of Clang's builds name functions and lines.
if symbolizer=$(command -v llvm-symbolizer-16); then
  export ASAN_SYMBOLIZER_PATH=$symbolizer TSAN_SYMBOLIZER_PATH=$symbolizer UBSAN_SYMBOLIZER_PATH=$symbolizer
fi

# rustup installs here; a login shell has it on PATH, cron and CI may not.
case ":$PATH:" in *":$HOME/.cargo/bin:"*) ;; *) PATH=$PATH:$HOME/.cargo/bin ;; esac
