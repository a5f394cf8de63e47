import pandas as pd

from tickwire import feed


@feed("ticker.*", every=0.5)
async def pandas_prices(pub):
    frame = pd.read_csv(__file__.replace("pandas_prices.py", "prices.csv"), dtype=str)
    pub.publish_table(list("ticker." + frame.pop("symbol")), dict(frame.items()))
