"""Ask once and leave, or stay: ``python -m examples.scoreboard``."""

from pathlib import Path

from examples.site import run

FOLDER = Path(__file__).parent

run(FOLDER, plugins=[FOLDER / "games.py"])
