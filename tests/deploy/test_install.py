"""What `make install-system` puts where, and what the unit, man pages and completion say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.real_proxies import DEPLOY
from server.conftest import Run

INSTALLED = {
    "usr/bin/tickwired",
    "usr/lib/systemd/system/tickwired.service",
    "etc/tickwire/tickwire.toml",
    "usr/share/man/man1/tickwire.1",
    "usr/share/man/man8/tickwired.8",
    "usr/share/bash-completion/completions/tickwire",
    "usr/share/bash-completion/completions/tickwired",
}


@pytest.fixture(scope="module")
def system(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of what is installed from the dev build, whose daemon is what it happens to be."""
    build = checkout / "build/dev"
    if not (build / "core/daemon/tickwired").exists():
        pytest.skip("there is no build in build/dev")
    root = tmp_path_factory.mktemp("system")
    install(build, root)
    return root


def install(build: Path, root: Path) -> str:
    command = ["cmake", "--install", str(build), "--component", "system", "--prefix", "/usr"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "DESTDIR": str(root)}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_each_file_is_where_debian_expects_it(system: Path) -> None:
    assert files(system) == INSTALLED
    assert os.access(system / "usr/bin/tickwired", os.X_OK)
    unit = (system / "usr/lib/systemd/system/tickwired.service").read_text()
    assert "\nExecStart=/usr/bin/tickwired --config /etc/tickwire/tickwire.toml\n" in unit


def test_settings_that_were_changed_stay(system: Path, checkout: Path) -> None:
    settings = system / "etc/tickwire/tickwire.toml"
    settings.write_text("# mine\n")
    assert "Kept as it is" in install(checkout / "build/dev", system)
    assert settings.read_text() == "# mine\n"


def test_the_settings_are_valid(run: Run, tmp_path: Path) -> None:
    text = (DEPLOY / "installed.toml").read_text()
    (tmp_path / "tickwire.toml").write_text(text)
    assert run("--check", "--config", "tickwire.toml").returncode == 0
    unit = (DEPLOY / "tickwired.service").read_text()
    for key, folder in (("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")):
        (name,) = re.findall(rf"^{key}=(\S+)$", unit, re.MULTILINE)
        assert f'"{folder}/{name}/' in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_finds_no_fault_in_the_unit(tickwired: Path, tmp_path: Path) -> None:
    unit = tmp_path / "tickwired.service"
    text = (DEPLOY / "tickwired.service").read_text()
    unit.write_text(text.replace("/usr/bin/tickwired", str(tickwired)))
    for command in (
        ["verify", "--man=no", str(unit)],
        ["security", "--offline=yes", "--no-pager", "--threshold=20", str(unit)],  # 0 to 100
    ):
        done = subprocess.run(["systemd-analyze", *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "tickwired.service:" not in done.stderr, done.stderr


# --- man pages and completion ---------------------------------------------------------------------


def plain(page: str) -> str:
    return re.sub(r"\\f[A-Z]", "", (DEPLOY / "man" / page).read_text()).replace("\\-", "-")


def test_the_man_pages_name_every_option_command_and_exit_code(run: Run, checkout: Path) -> None:
    options = set(re.findall(r"--[a-z]+", run("--help").stdout))
    daemon = plain("tickwired.8")
    assert options
    assert options == {option for option in re.findall(r"--[a-z]+", daemon) if option != "--admin"}
    configuration = (checkout / "docs/CONFIGURATION.md").read_text()
    documented = re.findall(r"^\| (\d+) \|", configuration, re.MULTILINE)
    listed = re.findall(r"^(\d+)\t", daemon, re.MULTILINE)
    assert set(listed) == set(documented) - {"3", "4"}, "which are of clients"

    said = subprocess.run(
        [sys.executable, "-m", "tickwire", "--help"], capture_output=True, text=True
    ).stdout
    commands = re.findall(r"^  ([a-z]+)  ", said.partition("Commands:")[2], re.MULTILINE)
    assert commands
    assert sorted(commands) == sorted(
        re.findall(r"^\.TP\n\.B ([a-z]+)$", plain("tickwire.1"), re.MULTILINE)
    )


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff")
@pytest.mark.parametrize("page", ["tickwired.8", "tickwire.1"])
def test_groff_finds_no_fault_in_the_man_pages(page: str) -> None:
    command = ["groff", "-man", "-t", "-ww", "-z", "-Tutf8", str(DEPLOY / "man" / page)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def completed(name: str, words: list[str], programs: Path) -> list[str]:
    """What bash offers for the last word."""
    line = " ".join(f"'{word}'" for word in words)
    script = f"""
source {DEPLOY}/completion/{name}
COMP_WORDS=({line}) COMP_CWORD={len(words) - 1}
_{name} "$1"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "-c", script, "bash", str(programs / name)], capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes(programs: Path, run: Run) -> None:
    options = re.findall(r"--[a-z]+", run("--help").stdout)
    assert sorted(completed("tickwired", ["tickwired", "--"], programs)) == sorted({*options})
    assert completed("tickwired", ["tickwired", "--ch"], programs) == ["--check"]
    assert completed("tickwire", ["tickwire", "sn"], programs) == ["snapshot"]
