"""A plugin finds what lies beside it, wherever the program runs, and shadows nothing."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tickwire._host.loading import load
from tickwire.errors import PluginError

FEED = """
{imports}
from tickwire import feed

@feed("h.*", topics=["h.x"])
async def f(pub):
    pub.publish("h.x", {{"said": SAID}})
"""


@pytest.fixture(autouse=True)
def clean_imports() -> Iterator[None]:
    path, modules = list(sys.path), dict(sys.modules)
    yield
    sys.path[:] = path
    for name in sys.modules.keys() - modules.keys():
        del sys.modules[name]


def plugin(folder: Path, imports: str, name: str = "my_feed") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.py"
    file.write_text(FEED.format(imports=imports))
    return file


def module(file: Path, said: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"SAID = {said!r}\n")


def said(source: object) -> str:
    function = load(source).feeds[0][1]
    return function.__globals__["SAID"]


def test_a_plugin_imports_its_siblings_and_the_packages_beside_it(tmp_path):
    module(tmp_path / "symbols.py", "sibling")
    module(tmp_path / "lib" / "deep" / "names.py", "package")
    module(tmp_path / "boxed" / "__init__.py", "boxed")
    assert said(plugin(tmp_path, "from symbols import SAID")) == "sibling"
    assert said(plugin(tmp_path, "from lib.deep.names import SAID", "two")) == "package"
    assert said(plugin(tmp_path, "from boxed import SAID", "three")) == "boxed"


def test_plugins_of_two_folders_have_each_their_own_sibling_of_one_name(tmp_path):
    for name in ("one", "two"):
        module(tmp_path / name / "symbols.py", name)
        module(tmp_path / name / "lib" / "__init__.py", "")
        module(tmp_path / name / "lib" / "names.py", name)
    for name in ("one", "two", "one"):
        file = plugin(tmp_path / name, "from symbols import SAID")
        assert said(file) == name
        file = plugin(tmp_path / name, "from lib.names import SAID", "other_feed")
        assert said(file) == name


def test_two_files_of_one_name_are_two_modules(tmp_path):
    plugins = [load(plugin(tmp_path / name, f"SAID = {name!r}")) for name in ("one", "two")]
    functions = [plugin.feeds[0][1] for plugin in plugins]
    assert [function.__globals__["SAID"] for function in functions] == ["one", "two"]
    assert functions[0].__module__ != functions[1].__module__
    for function in functions:
        assert sys.modules[function.__module__].f is function


def test_a_plugin_in_a_package_imports_relatively(tmp_path):
    package = tmp_path / "venue"
    module(package / "__init__.py", "top")
    module(package / "names.py", "beside")
    module(package / "inner" / "__init__.py", "inner")
    assert said(plugin(package, "from .names import SAID")) == "beside"
    assert said(plugin(package, "from . import SAID", "two")) == "top"
    assert said(plugin(package / "inner", "from ..names import SAID")) == "beside"
    assert said(plugin(package, "from venue.names import SAID", "three")) == "beside"


def test_a_folder_with_an_init_is_a_plugin(tmp_path):
    plugin(tmp_path / "venue", "from .names import SAID", "__init__")
    module(tmp_path / "venue" / "names.py", "inside")
    assert said(tmp_path / "venue") == "inside"
    assert load(f"{tmp_path}/venue").name == "venue"
    with pytest.raises(PluginError, match="no such file"):
        load(tmp_path)


def test_a_fifo_in_a_plugins_place_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "quotes.py")
    with pytest.raises(PluginError, match=r"quotes\.py: is a FIFO, not a file"):
        load(tmp_path / "quotes.py")


@pytest.mark.parametrize("name", ["queue", "json", "asyncio", "websockets", "tickwire"])
def test_a_file_beside_a_plugin_shadows_nothing(name, tmp_path):
    (tmp_path / f"{name}.py").write_text("raise LookupError('the wrong one')\n")
    assert said(plugin(tmp_path, f"import {name}\nSAID = {name}.__name__")) == name


def test_a_fault_in_a_sibling_names_the_line_of_the_plugin_that_imports_it(tmp_path):
    (tmp_path / "symbols.py").write_text("1 / 0\n")
    with pytest.raises(PluginError, match=r"my_feed\.py:2: ZeroDivisionError"):
        load(plugin(tmp_path, "from symbols import SAID"))


@pytest.mark.parametrize("fault", ["BaseException('x')", "BaseExceptionGroup('g', [SystemExit()])"])
def test_whatever_an_import_raises_is_a_fault_of_that_plugin(fault, tmp_path):
    with pytest.raises(PluginError, match=r"my_feed\.py:2: BaseException"):
        load(plugin(tmp_path, f"raise {fault}"))


def test_a_file_in_the_working_directory_is_suggested(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plugin(tmp_path, "SAID = 1")
    with pytest.raises(PluginError, match=r"did you mean \./my_feed\.py\?"):
        load("my_feed")


@pytest.mark.parametrize("program", ["tickwired", "tickwire serve"])
@pytest.mark.parametrize("where", ["its folder", "another"])
def test_both_programs_find_a_plugins_folder_from_anywhere(
    program, where, programs, tmp_path, start_process
):
    module(tmp_path / "symbols_of_mine.py", "x")
    file = plugin(tmp_path, "from symbols_of_mine import SAID")
    name, *rest = program.split()
    start_process([programs / name, *rest, file], tmp_path if where == "its folder" else Path("/"))


@pytest.mark.parametrize("program", ["tickwired", "tickwire serve"])
def test_no_program_imports_from_its_working_directory(program, programs, tmp_path, start_process):
    for name in ("queue", "random", "decimal", "logging", "json"):
        (tmp_path / f"{name}.py").write_text("raise LookupError('the wrong one')\n")
    name, *rest = program.split()
    start_process([programs / name, *rest, "random_walk"], tmp_path)


@pytest.fixture
def start_process(tmp_path, eventually):
    """Starts a server process and waits until it listens. It is stopped afterwards."""
    log = tmp_path / "log"

    def start(command: list[object], cwd: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        with log.open("w") as out:
            process = subprocess.Popen(
                [*map(str, command), "--listen", "127.0.0.1:0"],
                stdout=out,
                stderr=out,
                cwd=cwd,
                env=environment,
            )
        try:
            eventually(
                lambda: (
                    re.search(r"listening on \S+:\d+ \(", log.read_text())
                    or process.poll() is not None
                ),
                60,
            )
            assert process.poll() is None, log.read_text()
        finally:
            process.terminate()
            process.wait(60)

    return start
