"""Values that cannot be published: rows that raise, masked values of NumPy."""

import json
from collections import UserDict

import numpy as np
import pytest

from tickwire._core import Config, Engine
from tickwire.errors import DataError


@pytest.fixture
def engine():
    """An engine that is not started, because publishing needs no clients."""
    return Engine(Config.load(overrides={"server": {"listen": "127.0.0.1:0"}}))


class RaisesWhenRead(UserDict):
    def __init__(self, fault):
        super().__init__()
        self.fault = fault

    def keys(self):
        raise self.fault


class RaisesWhenShown:
    def __repr__(self):
        raise SystemExit(3)


@pytest.mark.parametrize("fault", [LookupError(), SystemExit(3), GeneratorExit(), BaseException()])
def test_a_row_that_raises_loses_no_other(fault, start_server):
    server = start_server()
    pairs = [("many.A", {"n": 1}), ("many.B", RaisesWhenRead(fault)), ("many.C", {"n": 3})]
    with pytest.raises(DataError, match=rf"pairs\[1\]: data: {type(fault).__name__}"):
        server.publish_many(pairs)
    with pytest.raises(DataError, match=r"pairs\[0\]: must be \(topic, data\)"):
        server.publish_many([RaisesWhenShown(), ("many.D", {"n": 4})])
    assert server.topics() == ["many.A", "many.C", "many.D"]


def test_an_interrupt_is_none_of_a_row(start_server):
    with pytest.raises(KeyboardInterrupt):
        start_server().publish_many([("many.B", RaisesWhenRead(KeyboardInterrupt()))])


MASKED = [
    np.ma.array([1.0, 9.0], mask=[False, True]),
    np.ma.array([1, 9], np.int64, mask=[False, True]),
    np.ma.array([1.5, 9.5], np.float32, mask=[False, True]),
    [1, np.ma.masked],
    [1, np.ma.array(9.0, mask=True)],
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("column", MASKED, ids=repr)
def test_a_masked_value_is_treated_as_nan_is(column, engine):
    with pytest.raises(DataError, match=r"columns\.a\[1\]: JSON has no masked value") as refused:
        engine.publish_table(["m.A", "m.B"], {"a": column})
    assert refused.value.field == "columns.a[1]"
    assert engine.topics("m.>") == []
    assert engine.publish_table(["m.A", "m.B"], {"a": column, "n": [1, 2]}, "null") == 2
    assert json.loads(engine.snapshot("m.B"))["data"] == {"n": 2}


def test_a_masked_array_without_a_masked_value_is_an_array(engine):
    assert engine.publish_table(["f.A", "f.B"], {"a": np.ma.array([1.0, 2.5])}) == 2
    assert json.loads(engine.snapshot("f.B"))["data"] == {"a": 2.5}


def test_a_masked_value_of_a_mapping_is_refused(start_server):
    with pytest.raises(DataError, match=r"data\.bids\[0\]: JSON has no masked value"):
        start_server().publish("t.A", {"bids": [np.ma.masked]})
