"""The order of core/'s layers is enforced: by the compiler, and in headers no source includes."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ORDER = [
    "base",
    "model",
    "codec",
    "client",
    "protocol",
    "hub",
    "session",
    "access",
    "fanout",
    "store",
    "cluster",
    "redis",
    "bridge",
    "net",
    "engine",
]


@pytest.fixture(scope="module")
def layers_with_sources(checkout: Path) -> list[str]:
    return [layer for layer in ORDER if any((checkout / "core" / layer).glob("*.cc"))]


@pytest.fixture(scope="module")
def compile_commands(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """Layer -> the compiler call of the real build for one of its sources, up to that source."""
    build = tmp_path_factory.mktemp("build")
    options = ["-DTICKWIRE_DAEMON=OFF", "-DTICKWIRE_BINDINGS=OFF", "-DTICKWIRE_TESTS=OFF"]
    subprocess.run(
        ["cmake", "-S", str(checkout), "-B", str(build), "-G", "Ninja", *options],
        check=True,
        capture_output=True,
    )
    commands: dict[str, list[str]] = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = Path(entry["file"])
        if source.parent.parent != checkout / "core":
            continue
        words = shlex.split(entry["command"])
        commands[source.parent.name] = words[: words.index("-o")]
    return commands


def compiles(command: list[str], probe: Path, text: str) -> bool:
    probe.write_text(text)
    check = [*command, "-fsyntax-only", str(probe)]
    return subprocess.run(check, check=False, capture_output=True, cwd=probe.parent).returncode == 0


def any_header(checkout: Path, layer: str) -> str:
    return f"{layer}/{min((checkout / 'core' / layer).glob('*.h')).name}"


def test_the_build_declares_the_layers_in_the_order_of_the_design(checkout: Path) -> None:
    declared = re.findall(
        r"^tickwire_layer\((\w+)", (checkout / "CMakeLists.txt").read_text(), re.M
    )
    assert declared == ORDER


def test_each_layer_sees_itself_and_the_layers_before_it_and_no_other(
    checkout: Path,
    compile_commands: dict[str, list[str]],
    layers_with_sources: list[str],
    tmp_path: Path,
) -> None:
    assert sorted(compile_commands) == sorted(layers_with_sources)
    headers = {layer: any_header(checkout, layer) for layer in ORDER}
    for layer, command in compile_commands.items():
        seen = ORDER[: ORDER.index(layer) + 1]
        probe = "".join(
            f'#if {"!" if other in seen else ""}__has_include("{header}")\n'
            f'#error "{layer} and {header}"\n#endif\n'
            for other, header in headers.items()
        )
        assert compiles(command, tmp_path / "probe.cc", probe), f"{layer} should see just {seen}"


def test_an_include_against_the_order_does_not_compile_and_one_along_it_does(
    checkout: Path, compile_commands: dict[str, list[str]], tmp_path: Path
) -> None:
    along = f'#include "{any_header(checkout, "hub")}"\n'
    against = f'#include "{any_header(checkout, "session")}"\n'
    assert compiles(compile_commands["hub"], tmp_path / "probe.cc", along)
    assert not compiles(compile_commands["hub"], tmp_path / "probe.cc", against)
    assert compiles(compile_commands["session"], tmp_path / "probe.cc", against)


def test_no_header_names_a_later_layer(checkout: Path) -> None:
    # The compiler judges a header by the source that includes it, which may be a later layer's.
    wrong = [
        f"{path.relative_to(checkout)} includes {other}/"
        for layer in ORDER
        for path in (checkout / "core" / layer).iterdir()
        for other in re.findall(r'^#include "(\w+)/', path.read_text(), re.M)
        if other not in ORDER[: ORDER.index(layer) + 1]
    ]
    assert not wrong


@pytest.mark.parametrize("version", ["4.4.0", "4.4.1"])
def test_a_libwebsockets_with_the_broken_handshake_is_refused(checkout: Path, version: str) -> None:
    refused = configure_with_websockets(checkout, version)
    assert refused.returncode != 0
    assert f"libwebsockets {version}" in refused.stderr


@pytest.mark.parametrize("version", ["4.1.6-", "4.3.5", "4.4.2", "4.5.8", "5.0.0"])
def test_other_versions_of_libwebsockets_are_taken(checkout: Path, version: str) -> None:
    assert configure_with_websockets(checkout, version).returncode == 0


def configure_with_websockets(checkout: Path, version: str) -> subprocess.CompletedProcess[str]:
    script = checkout / "cmake" / "websockets.cmake"
    return subprocess.run(
        ["cmake", f"-DWEBSOCKETS_VERSION={version}", "-P", str(script)],
        check=False,
        capture_output=True,
        text=True,
    )
