"""The npm package: what a bundler takes of it, the classic script, and React."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import tickwire
from page.browser import Browser
from page.conftest import Site

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def package(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has installed what `npm pack` makes, beside React."""
    folder = tmp_path_factory.mktemp("project")
    web = checkout / "web"
    subprocess.run(["npm", "pack", "--silent", "--pack-destination", folder], cwd=web, check=True)
    (archive,) = folder.glob("tickwire-*.tgz")
    modules = folder / "node_modules"
    modules.mkdir()
    subprocess.run(["tar", "xzf", archive, "-C", modules], check=True)
    (modules / "package").rename(modules / "tickwire")
    for name in ("react", "react-dom", "scheduler"):
        (modules / name).symlink_to(HERE / "node_modules" / name)
    return folder


@pytest.fixture
def server() -> Iterator[tickwire.Server]:
    with tickwire.Server(listen="127.0.0.1:0") as server:
        server.publish("a.1", {"last": "1.50", "open": "1"})
        yield server


def bundled(folder: Path, code: str) -> str:
    (folder / "app.jsx").write_text(code)
    esbuild = HERE / "node_modules/.bin/esbuild"
    options = [
        "--bundle",
        "--format=esm",
        "--jsx=automatic",
        "--define:process.env.NODE_ENV='\"x\"'",
    ]
    command = [esbuild, "app.jsx", *options]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert "warning" not in run.stderr
    return run.stdout


def test_it_has_the_version_of_the_server_and_types_and_no_page(package: Path) -> None:
    root = package / "node_modules/tickwire"
    about = json.loads((root / "package.json").read_text())
    assert about["version"] == tickwire.__version__
    assert not about.get("dependencies")
    assert not list(root.glob("page*"))
    for target in about["exports"].values():
        for path in target.values() if isinstance(target, dict) else [target]:
            assert "*" in path or (root / path).exists(), path


def test_a_bundler_takes_the_client_alone(package: Path) -> None:
    alone = bundled(package, 'import { connect } from "tickwire"; connect("ws://h/ws");')
    assert "customElements" not in alone
    assert "customElements" in bundled(package, 'import "tickwire/elements";')
    ticker = bundled(package, 'import "tickwire/ticker";')
    assert '"tick-er"' in ticker
    assert '"tick-table"' not in ticker


def test_a_classic_script_finds_its_server(
    browser: Browser, site: Site, package: Path, server: tickwire.Server
) -> None:
    script = (package / "node_modules/tickwire/dist/tickwire.classic.js").read_text()
    page = browser.open(
        site(f'<script>{script}</script><tick-er src="http://{server.address}" topics="a.1">')
    )
    page.wait("is('fresh') && part('last') === '1.50'")
    assert page.eval("typeof tickwire.connect + typeof tickwire.TickTable") == "functionfunction"
    assert page.eval("typeof tickwireUrl") == "undefined", "it leaves one name behind"


REACT = """
import { useState } from "react";
import { createRoot } from "react-dom/client";
import "tickwire/ticker";
import { useTopic } from "tickwire/react";

function Price({ name }) {
  const { image, fresh, status } = useTopic(name, { src: "SRC" });
  return <output>{`${name} ${image?.last} ${status} ${fresh}`}</output>;
}
function App() {
  const [name, setName] = useState("a.1");
  return <><Price name={name} /><button onClick={() => setName("a.2")} />
    <tick-er src="SRC" topics={["a.1", "a.2"]} maxRate={5} /></>;
}
createRoot(document.querySelector("#app")).render(<App />);
"""


def test_react_has_topics_as_a_hook_and_elements_with_properties(
    browser: Browser, site: Site, package: Path, server: tickwire.Server
) -> None:
    server.publish("a.2", {"last": "2.50"})
    code = bundled(package, REACT.replace("SRC", f"http://{server.address}"))
    page = browser.open(site(f'<div id="app"></div><script type="module">{code}</script>'))
    page.wait("text('output') === 'a.1 1.50 live true' && is('fresh', 0) && is('fresh', 1)")
    assert page.eval("titles()") == ["a.1", "a.2"]
    server.publish("a.1", {"last": "1.75"})
    page.wait("text('output') === 'a.1 1.75 live true' && part('last') === '1.75'")
    page.click("button")
    page.wait("text('output') === 'a.2 2.50 live true'")
    server.set_status("a.2", "halted")
    page.wait("text('output') === 'a.2 2.50 halted true'")
    assert page.faults() == []
