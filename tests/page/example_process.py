"""An example of examples/, running as its README says, in a folder of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
START_S = 60.0


class ExampleProcess:
    """`python -m examples.NAME` in a copy of examples/ under `folder`; it keeps its two ports."""

    def __init__(self, name: str, folder: Path) -> None:
        shutil.copytree(CHECKOUT / "examples", folder / "examples", dirs_exist_ok=True)
        self.folder = folder
        self._name = name
        self._ports = ("0", "0")
        self.start()

    def start(self) -> None:
        site, plant = self._ports
        command = [sys.executable, "-m", f"examples.{self._name}", "--site", site, "--plant", plant]
        env = {name: value for name, value in os.environ.items() if "TICKWIRE_" not in name}
        log = self.folder / f"{self._name}.log"
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=out, stderr=out, env=env
            )
        self.url = self._address(log)
        with urllib.request.urlopen(self.url, timeout=START_S) as page:
            (self.plant,) = set(re.findall(r"http://[\d.]+:\d+", page.read().decode()))
        self._ports = (self.url.rstrip("/").rpartition(":")[2], self.plant.rpartition(":")[2])

    def _address(self, log: Path) -> str:
        deadline = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < deadline:
            if found := re.search(r"open (http://\S+:\d+/)", log.read_text()):
                return found[1]
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"examples.{self._name} did not start: {log.read_text()}")

    def stop(self) -> int:
        """As Ctrl-C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(START_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(START_S)
