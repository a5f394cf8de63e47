"""The packages of tickwire import each other in one direction, and a name means one thing."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import tickwire

BASE = {
    "_backoff", "_callables", "_closing", "_core", "_escape", "_fault_log", "_http", "_json",
    "_pattern", "_reason", "codes", "errors", "exit_codes", "update", "url",
}  # fmt: skip
"""Modules without a folder, on which everything else may stand."""

GROUP = {
    "plugins": "for plugins",
    "pub": "for plugins",
    "upstream": "for plugins",
    "client": "client",
    "subscription": "client",
    "sync": "client",
    "local": "for plugins",
    "server": "server",
    "__main__": "cli",
}
"""Public modules, each with the group that it belongs to; a folder is a group of its own."""

MAY_IMPORT = {
    "base": set[str](),
    "for plugins": {"base"},
    "feeds": {"base", "for plugins", "client"},
    "_client": {"base"},
    "client": {"base", "_client"},
    "_host": {"base", "for plugins"},
    "server": {"base", "for plugins", "_host"},
    "_tools": {"base", "_client", "client", "_tools/check"},
    # A fault of the client must not hide itself from the check of a server's stream.
    "_tools/check": {"base"},
    "cli": {"base", "_client", "client", "_host", "server", "_tools", "_tools/check"},
}


def group_of(module: str) -> str:
    """The group of a module, named from `tickwire` on: ``_client.link``."""
    first, *rest = module.split(".")
    if first == "_tools" and rest[:1] == ["check"]:
        return "_tools/check"
    return "base" if first in BASE else GROUP.get(first, first)


def modules(checkout: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every module with its name from `tickwire` on."""
    for root, prefix in ((checkout / "python" / "tickwire", ""), (checkout / "feeds", "feeds.")):
        for path in root.rglob("*.py"):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            yield (prefix + name).removesuffix(".__init__"), ast.parse(path.read_text())


def imports(tree: ast.Module) -> Iterator[str]:
    """What a module imports of tickwire, also within functions and for a type checker alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tickwire"):
            inner = str(node.module).removeprefix("tickwire").lstrip(".")
            if not inner:
                yield from (tickwire._HOME.get(alias.name, alias.name) for alias in node.names)
            else:
                yield inner
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from (n.removeprefix("tickwire.") for n in names if n.startswith("tickwire."))


def complaints(name: str, tree: ast.Module) -> Iterator[str]:
    group = group_of(name)
    for imported in imports(tree):
        other = group_of(imported)
        if other != group and other not in MAY_IMPORT[group]:
            yield f"{name} ({group}) imports {imported} ({other})"


def test_packages_import_only_those_that_stand_below_them(checkout: Path) -> None:
    found = [(name, tree) for name, tree in modules(checkout) if name != "__init__"]
    assert {group_of(name) for name, _ in found} == set(MAY_IMPORT)
    wrong = [complaint for name, tree in found for complaint in complaints(name, tree)]
    assert not wrong, "\n".join(wrong)


def test_an_import_in_the_other_direction_is_seen() -> None:
    def wrong(name: str, text: str) -> int:
        return len(list(complaints(name, ast.parse(text))))

    assert wrong("_client.link", "from tickwire._host.calls import Calls")
    assert wrong("pub", "def f():\n    import tickwire.server")
    assert wrong("_tools.check.run", "from tickwire._client.dial import dial")
    assert wrong("feeds.replay", "from tickwire import Server")
    assert not wrong("feeds.relay", "from tickwire import connect")
    assert not wrong("feeds.replay", "from tickwire import feed")
    assert not wrong("_tools.bench", "from tickwire.client import connect")


def test_no_two_classes_have_one_name(checkout: Path) -> None:
    places = defaultdict(list)
    for module, tree in modules(checkout):
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module)
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert not twice
