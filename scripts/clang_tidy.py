"""clang_tidy.py BUILD FOLDER...: clang-tidy on every source of a built tree in the FOLDERs.

A file that was clean is skipped until something it is made of changes: itself, a header it
includes (ninja remembers which), its flags, .clang-tidy or the tool.
"""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CLANG_TIDY = "clang-tidy-19"


def headers_by_object(build: Path) -> dict[str, list[str]]:
    """What ninja saw each object include, system headers left out."""
    listing = subprocess.run(
        ["ninja", "-C", str(build), "-t", "deps"], check=True, capture_output=True, text=True
    ).stdout
    headers: dict[str, list[str]] = {}
    for block in listing.split("\n\n"):
        first, *rest = block.strip().split("\n")
        paths = [line.strip() for line in rest]
        headers[first.partition(":")[0]] = [p for p in paths if not p.startswith("/usr/")]
    return headers


def object_of(command: str) -> str:
    words = shlex.split(command)
    return words[words.index("-o") + 1]


def fingerprint(build: Path, entry: dict[str, str], headers: list[str], common: bytes) -> str:
    digest = hashlib.sha256(common + entry["command"].encode())
    for path in [entry["file"], *sorted(headers)]:
        digest.update((build / path).read_bytes())
    return digest.hexdigest()


def check(build: Path, source: str) -> str:
    """What clang-tidy has to say; empty when the file is clean."""
    run = subprocess.run(
        [CLANG_TIDY, "-p", str(build), "--quiet", source],
        check=False,
        capture_output=True,
        text=True,
    )
    return "" if run.returncode == 0 else run.stdout + run.stderr


def main() -> int:
    build = Path(sys.argv[1]).resolve()
    folders = tuple(str(Path(folder).resolve()) + os.sep for folder in sys.argv[2:])
    version = subprocess.run([CLANG_TIDY, "--version"], check=True, capture_output=True).stdout
    common = version + Path(".clang-tidy").read_bytes()
    headers = headers_by_object(build)
    clean = build / "tidy"
    clean.mkdir(exist_ok=True)

    todo: dict[str, str] = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if entry["file"].startswith(folders):
            key = fingerprint(build, entry, headers[object_of(entry["command"])], common)
            if not (clean / key).exists():
                todo[entry["file"]] = key

    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, complaint in zip(todo, pool.map(lambda s: check(build, s), todo), strict=True):
            if complaint:
                print(complaint, file=sys.stderr)
                failed += 1
            else:
                (clean / todo[source]).touch()
    print(f"clang-tidy: {len(todo)} files checked, {failed} with complaints")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
