"""Chromium, driven from a test: pages are opened, asked in JavaScript, and looked at."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """$CHROMIUM, or the first one found."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    assert found, f"no browser: none of {NAMES} is installed (apt-get install chromium)"
    return found


class Browser:
    """One Chromium process; each page has a session of its own."""

    def __init__(self) -> None:
        assert (HERE / "node_modules").exists(), "no node_modules: run `make page-tools` first"
        self._driver = subprocess.Popen(
            ["node", "driver.mjs", chromium()],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, name: str, **fields: Any) -> Any:
        assert self._driver.stdin
        assert self._driver.stdout
        self._driver.stdin.write(json.dumps({"do": name, **fields}) + "\n")
        self._driver.stdin.flush()
        line = self._driver.stdout.readline()
        assert line, f"the driver ended during {name}"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def open(
        self,
        url: str,
        *,
        width: int = 1280,
        height: int = 800,
        scheme: str = "light",
        motion: str = "no-preference",
        scale: int = 1,
    ) -> "Page":
        """Each page has a session of its own."""
        view = {"width": width, "height": height, "scheme": scheme, "motion": motion}
        return Page(self, self.ask("open", url=url, scale=scale, **view))

    def close_pages(self) -> None:
        """Closes all pages that are open."""
        self.ask("closeAll")

    def quit(self) -> None:
        assert self._driver.stdin
        assert self._driver.stdout
        self._driver.stdin.close()
        try:
            self._driver.wait(10)
        except subprocess.TimeoutExpired:
            self._driver.kill()
            self._driver.wait()
        self._driver.stdout.close()


class Page:
    def __init__(self, browser: Browser, number: int) -> None:
        self._browser = browser
        self._number = number

    def _ask(self, name: str, **fields: Any) -> Any:
        return self._browser.ask(name, page=self._number, **fields)

    def eval(self, code: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        return self._ask("eval", code=code)

    def wait(self, code: str) -> Any:
        """The expression's first value that is true to JavaScript; fails when none comes."""
        return self._ask("wait", code=code)

    def click(self, selector: str) -> None:
        self._ask("click", selector=selector)

    def fill(self, selector: str, text: str) -> None:
        self._ask("fill", selector=selector, text=text)

    def screenshot(self, name: str | Path) -> Path:
        """Writes a file of this name into out/, which is not kept, or to an absolute path."""
        (HERE / "out").mkdir(exist_ok=True)
        path = HERE / "out" / name
        self._ask("screenshot", path=str(path))
        return path

    def faults(self) -> list[str]:
        """Errors and warnings of the console since the last call, and exceptions nobody caught."""
        faults: list[str] = self._ask("faults")
        return faults

    def tab(self, url: str) -> "Page":
        """Another page in this one's session, as a tab of the same browser."""
        view = {"width": 800, "height": 600, "scheme": "light", "motion": "no-preference"}
        return Page(
            self._browser,
            self._browser.ask("open", url=url, scale=1, beside=self._number, **view),
        )

    def close_tab(self) -> None:
        """Closes this page, and not its session."""
        self._ask("closeTab")

    def close(self) -> None:
        self._ask("close")
