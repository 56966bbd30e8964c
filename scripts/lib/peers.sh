# Installs llama.cpp: its libraries, its own server, and llama-cpp-python with its server (third_party/python/peers.txt).
# Sourced, after common.sh, by the scripts that hold cutd against them.

LLAMA_CPP_FLAGS="-DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DBUILD_SHARED_LIBS=ON -DLLAMA_BUILD_SERVER=ON -DLLAMA_BUILD_UI=OFF
  -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF
  -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON -DCMAKE_INSTALL_RPATH=\$ORIGIN"
PEERS_TXT=$ROOT/third_party/python/peers.txt

llama_cpp_requirement() { grep '^llama-cpp-python==' "$PEERS_TXT"; }

# All that makes the programs what they are: source, compiler options, and the processor they are compiled for.
llama_cpp_folder() {
  local key
  key=$({ llama_cpp_requirement; echo "$LLAMA_CPP_FLAGS"; grep -m1 '^flags' /proc/cpuinfo; } | sha256sum | cut -c1-12)
  echo "$CACHE/llama-cpp-$key"
}

# unpack_llama_cpp PYTHON FOLDER: the source package of PyPI, checked against its hash.
unpack_llama_cpp() {
  mkdir -p "$2/archive" "$2/source" &&
    llama_cpp_requirement >"$2/requirement.txt" &&
    "$1" -m pip download -q --disable-pip-version-check --no-deps --no-binary :all: --no-build-isolation --require-hashes \
      -r "$2/requirement.txt" -d "$2/archive" &&
    tar -xzf "$2"/archive/llama_cpp_python-*.tar.gz -C "$2/source" --strip-components=1
}

# llama.cpp without the package's own build: that one leaves the server out.
compile_llama_cpp() {
  cmake -S "$1/source/vendor/llama.cpp" -B "$1/build" -G Ninja $LLAMA_CPP_FLAGS &&
    nice -n 19 cmake --build "$1/build" -j "$JOBS" --target llama &&
    nice -n 19 cmake --build "$1/build" -j "$JOBS" --target llama-server
}

# build_llama_cpp PYTHON FOLDER: FOLDER/bin with the libraries and `llama-server`, FOLDER/llama_cpp the Python package that
# loads them. Interrupted, it goes on: archives keep their dates, so CMake compiles what is missing.
build_llama_cpp() {
  local folder=$2 work=$2.tmp
  [ -e "$folder/.complete" ] && return
  say "compiling llama.cpp and its server for this processor (once; about ten minutes on 2 cores)"
  mkdir -p "$work"
  { unpack_llama_cpp "$1" "$work" && compile_llama_cpp "$work"; } >"$work/log" 2>&1 ||
    { tail -40 "$work/log" >&2; die "llama.cpp does not compile (above; all of it in $work/log)"; }
  rm -rf "$folder" && mkdir -p "$folder/bin"
  cp -a "$work"/build/bin/{llama-server,lib*.so*} "$folder/bin/"
  cp -a "$work/source/llama_cpp" "$folder/"
  ln -sfn ../bin "$folder/llama_cpp/lib"  # where the package looks for them
  touch "$folder/.complete"
  rm -rf "$work"
}

# Sets PEERS_PYTHON, which can import llama_cpp, and LLAMA_SERVER.
install_peers() {
  local llama_cpp key venv
  llama_cpp=$(llama_cpp_folder)
  key=$({ cat "$PEERS_TXT"; echo "$llama_cpp"; } | sha256sum | cut -c1-12)
  venv=$CACHE/python-$key
  PEERS_PYTHON=$venv/bin/python
  LLAMA_SERVER=$llama_cpp/bin/llama-server
  [ -e "$venv/.complete" ] && [ -e "$llama_cpp/.complete" ] && return
  python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
    die "$PEERS_TXT pins packages for Python 3.11, which Debian 12 has; this machine's python3 is another"
  if [ ! -e "$venv/.complete" ]; then
    say "installing llama-cpp-python's server"
    rm -rf "$venv"
    python3 -m venv "$venv"
    grep -v '^llama-cpp-python==' "$PEERS_TXT" >"$venv/requirements.txt"
    "$venv/bin/pip" install -q --disable-pip-version-check --no-compile --only-binary=:all: --require-hashes \
      -r "$venv/requirements.txt"
    echo "$llama_cpp" >"$("$PEERS_PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/llama_cpp.pth"
    touch "$venv/.complete"
  fi
  build_llama_cpp "$PEERS_PYTHON" "$llama_cpp"
  ln -sfn "$venv" "$CACHE/python-peers"
}
