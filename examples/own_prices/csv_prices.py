import csv
from pathlib import Path

from tickwire import feed


@feed("ticker.*", every=0.5)
async def csv_prices(pub):
    rows = csv.DictReader(Path(__file__).with_name("prices.csv").read_text().splitlines())
    pub.publish_many((f"ticker.{row.pop('symbol')}", row) for row in rows)
