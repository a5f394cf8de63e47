"""Prices and trades in a page of its own: ``python -m examples.ticker``."""

from pathlib import Path

from examples.site import run

FOLDER = Path(__file__).parent

# Who comes late begins with the last trades of each symbol.
run(FOLDER, config={"topics.trade.>.ring": 100}, plugins=[FOLDER / "feed.py"])
