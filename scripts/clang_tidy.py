"""clang_tidy.py BUILD: clang-tidy on every source of a build of unity files.

A unity file is a whole layer in one, so that the headers of the standard library, which take most
of the time, are looked at once a layer. A layer that was clean is skipped until something it is
made of changes: a source, a header, its flags, .clang-tidy or the tool.
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


def files_of(entry: dict[str, str]) -> list[str]:
    """What the compiler reads for an entry, system headers left out."""
    words = shlex.split(entry["command"])
    words = words[words[0].endswith("ccache") :]
    output = words.index("-o")
    command = [*words[:output], *words[output + 2 :], "-MM"]
    made = subprocess.run(
        command, cwd=entry["directory"], check=True, capture_output=True, text=True
    )
    return made.stdout.replace("\\\n", " ").partition(":")[2].split()


def fingerprint(entry: dict[str, str], common: bytes) -> str:
    digest = hashlib.sha256(common + entry["command"].encode())
    for path in sorted(files_of(entry)):
        digest.update((Path(entry["directory"]) / path).read_bytes())
    return digest.hexdigest()


def check(build: Path, entry: dict[str, str], common: bytes) -> bool:
    """Whether it is clean. Says what clang-tidy has to say."""
    clean = build / "clean" / fingerprint(entry, common)
    if clean.exists():
        return True
    command = [CLANG_TIDY, "-p", str(build), "--quiet", entry["file"]]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    if run.returncode != 0:
        print(run.stdout + run.stderr, file=sys.stderr)
        return False
    clean.touch()
    return True


def main() -> int:
    build = Path(sys.argv[1]).resolve()
    (build / "clean").mkdir(exist_ok=True)
    version = subprocess.run([CLANG_TIDY, "--version"], check=True, capture_output=True).stdout
    common = version + Path(".clang-tidy").read_bytes()
    entries = json.loads((build / "compile_commands.json").read_text())
    # The greatest first, so that none is left alone at the end.
    entries.sort(key=lambda entry: -Path(entry["file"]).stat().st_size)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = [*pool.map(lambda entry: check(build, entry, common), entries)]
    print(f"clang-tidy: {len(results)} unity files, {results.count(False)} with complaints")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
