"""Finding plugins, and what is said of those that cannot be loaded."""

import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from tickwire import Server, authorizer, feed
from tickwire._host.loading import load
from tickwire.errors import PluginError

GOOD = """
from tickwire import feed

@feed("ticker.*")
async def good(pub):
    pub.publish("ticker.A", {"setting": pub.config.get("setting", "none")})
    async for _ in pub.demand():
        pass
"""

BROKEN = {
    "syntax": ("from tickwire import feed\n\ndef broken(:\n", r"broken\.py:3: SyntaxError: "),
    "import": (
        "import os\nimport no_such_module\n",
        r"broken\.py:2: ModuleNotFoundError: .*no_such",
    ),
    "raise": ("def f():\n    raise KeyError('k')\n\nf()\n", r"broken\.py:2: KeyError: 'k'"),
    "exit": ("import sys\nsys.exit(3)\n", r"broken\.py:2: SystemExit: 3"),
    "empty": ("x = 1\n", r"broken: has no @feed, @authorizer or @authenticator"),
    "pattern": (GOOD.replace("ticker.*", "ticker..x"), r"broken\.py:4: .*ticker\.\.x"),
    "guard": (
        'from tickwire import authorizer\n@authorizer("a.>.b")\ndef f(c, t): ...\n',
        r"broken\.py:2: .*a\.>\.b",
    ),
    "brackets": (GOOD.replace('("ticker.*")', ""), r"broken\.py:4: .*@feed needs the pattern"),
    "no pub": (
        GOOD.replace("good(pub)", "good()"),
        r"broken\.py:4: feed good.*write: def good\(pub",
    ),
    "yield": (GOOD.replace("pass", "yield 1"), r"broken\.py:4: feed good has a yield"),
    "no base": (
        "class Panic(BaseException): ...\nraise Panic('p')\n",
        r"broken\.py:2: Panic: p",
    ),
    "not UTF-8": (
        'raise ValueError("\\udc80\\x1b[2J")\n',
        r"broken\.py:1: ValueError: \\udc80\\x1b\[2J",
    ),
    "without a text": (
        "class Mute(Exception):\n    def __str__(self):\n        raise self\nraise Mute\n",
        r"broken\.py:4: Mute",
    ),
    "topics exit": (
        GOOD.replace('"ticker.*"', '"ticker.*", topics=lambda c: exit(7)'),
        r"broken\.py:4: SystemExit: 7",
    ),
    "topics interrupt": (
        "def t(c):\n    raise KeyboardInterrupt\n" + GOOD.replace('"ticker.*"', '"t.*", topics=t'),
        r"broken\.py:2: KeyboardInterrupt",
    ),
    "topics async": (
        "async def t(c): ...\n" + GOOD.replace('"ticker.*"', '"t.*", topics=t'),
        r"broken\.py:5: .*topics: a plain def",
    ),
    "topics none": (
        "def t(c): ...\n" + GOOD.replace('"ticker.*"', '"t.*", topics=t'),
        r"broken\.py:1: .*topics: must be a list of topics, not a NoneType",
    ),
    "topics numbers": (
        GOOD.replace('"ticker.*"', '"ticker.*", topics=[1, 2]'),
        r"broken\.py:4: .*topics: each must be a str, not 1",
    ),
    "topics elsewhere": (
        GOOD.replace('"ticker.*"', '"ticker.*", topics=["other.A"]'),
        r"broken\.py:4: .*other\.A",
    ),
    "name": (GOOD.replace('"ticker.*"', '"t.*", name=5'), r"broken\.py:4: .*name: a str, not 5"),
    "every": (GOOD.replace('"ticker.*"', '"ticker.*", every=0'), r"broken\.py:4: .*every: must be"),
}


@pytest.fixture(params=BROKEN)
def broken(request, tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "broken.py"
    text, fault = BROKEN[request.param]
    path.write_text(text)
    return path, fault


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.py"
    path.write_text(GOOD)
    return path


def test_a_plugin_is_a_file(good, start_server, eventually):
    server = start_server(good, plugins={"good": {"setting": "x"}})
    assert eventually(lambda: server.snapshot("ticker.A")).data == {"setting": "x"}


def test_plugins_files_of_the_configuration_are_loaded(good, start_server, eventually):
    server = start_server(plugins={"files": [str(good)]})
    assert eventually(lambda: server.snapshot("ticker.A")).data == {"setting": "none"}


def test_a_plugin_is_a_module_by_its_name(good, start_server, eventually, monkeypatch):
    monkeypatch.syspath_prepend(good.parent)
    server = start_server("good")
    eventually(lambda: server.snapshot("ticker.A"))
    assert list(server.health["plugins"]) == ["good"]
    sys.modules.pop("good")


def test_a_name_without_dots_is_a_feed_that_comes_with_tickwire_first(monkeypatch):
    assert load("replay").feeds[0][1].__module__ == "tickwire.feeds.replay"
    assert load("tickwire.feeds.replay").name == "replay"


def test_plugins_python_path_is_searched(tmp_path, start_server, eventually):
    (tmp_path / "in_python_path.py").write_text(GOOD)
    plugins = {"python_path": str(tmp_path), "files": ["in_python_path"]}
    server = start_server(plugins=plugins)
    eventually(lambda: server.snapshot("ticker.A"))
    sys.path.remove(str(tmp_path))


def test_a_plugin_is_a_module_an_object_or_a_function():
    @feed("a.*")
    @feed("b.*", name="b")
    def make(pub): ...

    class Both:
        @feed("a.*")
        async def produce(self, pub): ...

        @authorizer("a.>", actions=["subscribe", "publish"])
        def guard(self, client, topic): ...

    module = types.ModuleType("package.module")
    module.make = make
    assert [mark.name for mark, _ in load(module).feeds] == ["b", "make"]
    assert load(module).name == "module"
    assert load(make).name == "make"
    both = load(Both())
    assert both.name == "Both"
    assert both.authorizers[0][0].actions == ("subscribe", "publish")


@pytest.mark.parametrize("actions", [[], ["subscribe", "list"]])
def test_an_authorizer_guards_subscribe_and_publish_and_nothing_else(actions):
    with pytest.raises(PluginError, match="actions: of subscribe and publish"):
        authorizer("a.>", actions=actions)


@pytest.mark.parametrize("name", ["nowhere.py", "no/such/file.py", "no_such_module", "no.such"])
def test_a_plugin_that_is_not_there_is_named(name, start_server):
    with pytest.raises(PluginError, match=name):
        start_server(name)


def test_two_plugins_of_one_name_are_refused(good, start_server, tmp_path):
    other = tmp_path / "other" / "good.py"
    other.parent.mkdir()
    other.write_text(GOOD)
    with pytest.raises(PluginError, match="good: another plugin has that name"):
        start_server(good, other)


def test_a_plugin_that_cannot_be_loaded_stops_the_start_with_its_place(broken, good):
    path, fault = broken
    server = Server({"server": {"listen": "127.0.0.1:0"}}, plugins=[good, path])
    with pytest.raises(PluginError, match=fault):
        server.start()


def test_a_plugin_that_cannot_be_added_leaves_the_running_server_alone(
    broken, good, start_server, eventually
):
    path, fault = broken
    server = start_server(good)
    with pytest.raises(PluginError, match=fault):
        server.add_plugin(path)
    eventually(lambda: server.snapshot("ticker.A"))
    assert server.health["plugins"] == {"good": {"state": "running", "restarts": 0, "errors": 0}}


PROGRAMS = ["tickwired", "tickwire serve"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_says_which_plugin_is_broken_and_ends_with_2(program, broken, programs):
    path, fault = broken
    assert_ends_with_2(programs, program, path, fault)


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_interrupt_that_a_plugin_raises_is_a_fault_of_it(program, programs, tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("import os\nraise KeyboardInterrupt\n")
    assert_ends_with_2(programs, program, path, r"broken\.py:2: KeyboardInterrupt")


def assert_ends_with_2(programs: Path, program: str, path: Path, fault: str) -> None:
    name, *rest = program.split()
    ended = subprocess.run(
        [programs / name, *rest, "--listen", "127.0.0.1:0", path],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=path.parent,
        env={**os.environ, "COLUMNS": "1000"},
    )
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert re.search(fault, ended.stderr), ended.stderr
