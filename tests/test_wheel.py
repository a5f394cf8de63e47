"""`make wheel` gives a wheel that runs in an empty environment, on libraries it carries itself."""

import json
import os
import platform
import re
import subprocess
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(900)  # the first build of the wheel compiles everything

# What manylinux promises of every Linux.
ANY_LINUX_HAS = re.compile(
    r"(linux-vdso|ld-linux.*|lib(c|m|pthread|dl|rt|resolv|gcc_s|stdc\+\+|z))\.so(\.\d+)*"
)

ROUND_TRIP = """
import json, tickwire
with tickwire.Server({"server": {"listen": "127.0.0.1:0"}}) as server:
    server.publish("ticker.BTC-USD", {"last": "0.10"})
    update = server.snapshot("ticker.BTC-USD")
print(json.dumps([update.topic, update.seq, update.data]))
"""


@pytest.fixture(scope="module")
def environment(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment into which nothing but the wheel was installed."""
    # A make of its own: it is not to read the flags of the one that may have started the tests.
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    subprocess.run(["make", "wheel"], check=True, cwd=checkout, env=clean)
    (wheel,) = (checkout / "dist").glob("*.whl")
    assert "manylinux" in wheel.name

    root = tmp_path_factory.mktemp("empty")
    venv.create(root, with_pip=True)
    pip = str(root / "bin" / "pip")
    subprocess.run([pip, "install", "-q", "--only-binary", ":all:", str(wheel)], check=True)
    return root


def start(environment: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environment / "bin" / program, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=environment,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        timeout=60,
    )


def run(environment: Path, program: str, *arguments: str) -> str:
    done = start(environment, program, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_says_its_version(environment: Path, checkout: Path) -> None:
    declared = re.search(r"VERSION ([\d.]+) LANGUAGES", (checkout / "CMakeLists.txt").read_text())
    assert declared
    assert declared[1] in run(environment, "tickwire", "version")


def test_what_a_server_in_process_is_told_it_can_tell(environment: Path) -> None:
    answer = json.loads(run(environment, "python", "-c", ROUND_TRIP))
    assert answer == ["ticker.BTC-USD", 1, {"last": "0.10"}]


NEED_AN_EXTRA = {"postgres", "rabbitmq"}


def test_the_feeds_are_there_or_say_which_extra_they_need(
    environment: Path, checkout: Path
) -> None:
    feeds = {path.stem for path in (checkout / "feeds").glob("[a-z]*.py")}
    assert feeds > NEED_AN_EXTRA
    for feed in feeds:
        done = start(environment, "python", "-c", f"import tickwire.feeds.{feed}")
        if feed in NEED_AN_EXTRA:
            assert f"pip install 'tickwire[{feed}]'" in done.stderr
        else:
            assert done.returncode == 0, done.stderr


@pytest.fixture(params=["tickwire/_core.*.so", "tickwire.scripts/tickwired"])
def binary(environment: Path, request: pytest.FixtureRequest) -> Path:
    (path,) = environment.glob(f"lib/python*/site-packages/{request.param}")
    return path


def readelf(path: Path, *options: str) -> str:
    command = ["readelf", "--wide", *options, path]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_every_library_is_the_wheels_own_or_on_any_linux(environment: Path, binary: Path) -> None:
    listing = subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout
    libraries = [line.split() for line in listing.splitlines()]
    assert any("libwebsockets" in words[0] for words in libraries)
    for name, *words in libraries:
        own = len(words) > 1 and Path(words[1]).is_relative_to(environment)
        assert own or ANY_LINUX_HAS.fullmatch(Path(name).name), f"{name} {' '.join(words)}"


def test_no_library_is_looked_for_in_a_folder_of_the_machine_that_built_it(
    environment: Path, binary: Path
) -> None:
    own = list(environment.glob("lib/python*/site-packages/tickwire.libs/*.so*"))
    assert own
    for path in (binary, *own):
        for folders in re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", readelf(path, "--dynamic")):
            assert all(folder.startswith("$ORIGIN") for folder in folders.split(":")), path


def test_binaries_are_hardened(binary: Path) -> None:
    """What cmake/hardening.cmake asks for, as it stands in the file."""
    assert "DYN" in readelf(binary, "--file-header")  # runs at any address
    segments = readelf(binary, "--segments")
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK +(0x\w+ +){5}RW +", segments)
    flags = re.findall(r"\(FLAGS(?:_1)?\)\s+(.*)", readelf(binary, "--dynamic"))
    assert any("NOW" in words for words in flags)  # with RELRO: all of what the linker wrote
    assert binary.suffix == ".so" or any("PIE" in words for words in flags)
    imported = set(re.findall(r" UND (\w+)", readelf(binary, "--dyn-syms")))
    assert "__stack_chk_fail" in imported
    assert any(re.fullmatch(r"__\w+_chk", name) for name in imported)  # FORTIFY
    assert any("glibcxx_assert_fail" in name for name in imported)
    if platform.machine() == "x86_64":
        text = re.search(r" \.text +PROGBITS +\w+ (\w+) (\w+)", readelf(binary, "--sections"))
        assert text
        start, size = int(text[1], 16), int(text[2], 16)
        endbr64 = b"\xf3\x0f\x1e\xfa"
        assert binary.read_bytes()[start : start + size].count(endbr64) > 1_000  # CET


def test_the_extension_exports_its_entry_alone(environment: Path) -> None:
    (extension,) = environment.glob("lib/python*/site-packages/tickwire/_core.*.so")
    symbols = readelf(extension, "--dyn-syms").splitlines()
    exported = [
        line.split()[-1]
        for line in symbols
        if re.search(r" (GLOBAL|WEAK|UNIQUE) +DEFAULT +\d+ ", line)
    ]
    assert exported == ["PyInit__core"]


def test_the_daemon_starts_and_says_that_it_has_no_plugins(environment: Path) -> None:
    assert run(environment, "tickwired", "--version").startswith("tickwired ")
    refused = start(environment, "tickwired", "feed.py", "--listen", "127.0.0.1:0")
    assert refused.returncode == 2
    assert "built without Python" in refused.stderr
    assert "`tickwire serve`" in refused.stderr
