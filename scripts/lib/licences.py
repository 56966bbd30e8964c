"""Collects licence texts into one file: cargo metadata | python3 licences.py OUTPUT RUST_SYSROOT. Called by scripts/licences.

Equal texts are written once, under the names of all that carry them. What has no text of its own is an error.
"""
import json
import pathlib
import re
import sys

# Debian's packages of what is compiled or linked in; see NOTICE.md.
DEBIAN = ["nlohmann-json3-dev", "libfmt-dev", "libcli11-dev", "libspdlog-dev", "libsodium-dev", "prometheus-cpp-dev",
          "libcurl4", "zlib1g"]
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|unlicense|notice)", re.IGNORECASE)


def linked_crates(metadata):
    """The packages of normal dependencies, without macros, which only run in the compiler."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found, waiting = set(), [metadata["resolve"]["root"]]
    while waiting:
        crate = waiting.pop()
        is_macro = any("proc-macro" in target["kind"] for target in packages[crate]["targets"])
        if crate in found or is_macro:
            continue
        found.add(crate)
        for dependency in nodes[crate]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    found.discard(metadata["resolve"]["root"])
    return [packages[crate] for crate in found]


def texts_of_crate(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    files = sorted(path for path in folder.iterdir() if path.is_file() and LICENCE_FILE.search(path.name))
    return [path.read_text(errors="replace") for path in files]


def boost_licence():
    """Boost's own among the two megabytes of its package."""
    text = pathlib.Path("/usr/share/doc/libboost1.81-dev/copyright").read_text(errors="replace")
    start = text.rindex("\n Boost Software License - Version 1.0 - August 17th, 2003")
    lines = []
    for line in text[start + 1:].splitlines():
        if not line.startswith(" "):
            break
        lines.append("" if line.strip() == "." else line[1:])
    return "\n".join(lines)


def rust_licences(sysroot):
    """Of a toolchain that rustup installed, or of Debian's package."""
    places = [sysroot / "share/doc/rust/licenses/MIT.txt", sysroot / "share/doc/rust/licenses/Apache-2.0.txt",
              pathlib.Path("/usr/share/doc/rustc-web/copyright")]
    return [place.read_text() for place in places if place.is_file()]


def main():
    metadata = json.load(sys.stdin)
    names = {}  # text -> who carries it

    def add(name, texts):
        if not texts:
            sys.exit(f"error: {name} comes without a licence text")
        for text in texts:
            names.setdefault(text.strip(), []).append(name)

    add("cutd; AlpacaEval's prompts", [pathlib.Path("LICENSE").read_text()])
    add("Boost (Asio, Beast) 1.81", [boost_licence()])
    add("Preact", [pathlib.Path("web/node_modules/preact/LICENSE").read_text()])
    for package in DEBIAN:
        add(f"{package} (Debian)", [pathlib.Path(f"/usr/share/doc/{package}/copyright").read_text()])
    add("Rust's standard library", rust_licences(pathlib.Path(sys.argv[2])))
    for package in sorted(linked_crates(metadata), key=lambda package: package["name"]):
        add(f"{package['name']} {package['version']} (crate)", texts_of_crate(package))

    with open(sys.argv[1], "w") as out:
        out.write("Licence texts of what `cutd` and `cutd-engine` contain. SQLite is in the public domain.\n")
        for text, carriers in names.items():
            out.write("\n" + "=" * 100 + "\n" + ", ".join(carriers) + "\n" + "=" * 100 + "\n\n" + text + "\n")


main()
