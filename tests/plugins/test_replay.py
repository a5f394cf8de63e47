"""The feed that plays recordings: an exchange's session, or what ``tickwire sub --json`` wrote."""

import asyncio
import lzma
import subprocess
import time
from decimal import Decimal

import pytest
from tickwire.feeds.replay import recorded, topic_of

from tickwire import feed

SESSION = """wss://exchange/ <-> 10.0
wss://exchange/ <- 10.1: {"type":"subscribe","product_id":"X"}
10.5: {"type":"ticker","product_id":"A","price":"1.00"}
10.6: [1,2]
10.7: {"type":"heartbeat"}

11.0: {"type":"ticker","product_id":"A","price":"2.00" }
11.0: {"type":"ticker","product_id":"B/C","price":"3.00"}
"""


@pytest.fixture(params=["plain", "xz"])
def session_file(request, tmp_path):
    path = tmp_path / ("session.txt" if request.param == "plain" else "session.txt.xz")
    text = SESSION.encode()
    path.write_bytes(text if request.param == "plain" else lzma.compress(text))
    return path


def test_a_session_is_what_the_exchange_sent(session_file):
    assert [message.at for message in recorded(session_file)] == [10.5, 10.6, 10.7, 11.0, 11.0]


def test_a_session_is_replayed_in_its_rhythm_byte_for_byte(session_file, start_server, eventually):
    server = start_server(plugins={"replay": {"file": str(session_file), "speed": 2.0}})
    with server.subscribe("replay.>") as subscription:
        server.add_plugin("replay")
        updates = []
        start = time.monotonic()
        while len(updates) < 3:
            update = subscription.get(20)
            if update.kind == "update":
                updates.append(update)
    assert time.monotonic() - start > 0.2, "half a second at twice the speed"
    assert [update.topic for update in updates] == [
        "replay.ticker.A",
        "replay.ticker.A",
        "replay.ticker.B_C",
    ]
    assert updates[1].raw == '{"type":"ticker","product_id":"A","price":"2.00" }'
    eventually(lambda: server.health["plugins"]["replay"]["state"] == "finished")
    eventually(lambda: server.snapshot("replay.ticker.A").status == "stale")


def test_a_session_may_be_looped_and_topics_named(session_file, start_server, eventually):
    settings = {"file": str(session_file), "speed": 0, "topic": "replay.{product_id}", "loop": True}
    server = start_server("replay", plugins={"replay": settings})
    eventually(lambda: server.snapshot("replay.A") and server.snapshot("replay.A").seq > 10)


def test_a_loop_ends_when_there_is_nothing_to_play(start_server, eventually, caplog, tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("no line of a session\n10.0: [1]\n")
    caplog.set_level("WARNING", "tickwire.plugins")
    server = start_server("replay", plugins={"replay": {"file": str(path), "loop": True}})
    eventually(lambda: server.health["plugins"]["replay"]["state"] == "finished")
    assert f"{path}: nothing to play" in caplog.text


# --- damage

DAMAGES = {
    "broken JSON": b'10.1: {"type":"ticker","product_id":"A","price":"2.0\n',
    "no UTF-8": b'10.1: {"type":"ticker","product_id":"A\xff"}\n',
    "half a message": b'{"type":"update","topic":"ticker.A","seq":2,"ts":10100,"data":{"a\n',
    "no message": b'{"type":"update","topic":"ticker.A","seq":-2,"ts":1,"data":{}}\n',
    "NULs": b"\0" * 4096 + b"\n",
    "too deep": b"10.1: {" + b'"a":[' * 100_000 + b"\n",
}
DAMAGES_OF_SUB = {
    "NULs": b"\0" * 4096 + b"\n",
    "no first byte": b'"type":"update","topic":"t.a","seq":2,"ts":5100,"data":{"n":2}}\n',
    "a line of a session": b'10.1: {"n":2}\n',
    "a changed byte": b'{"typf":"update","topic":"t.a","seq":2,"ts":5100,"data":{"n":2}}\n',
}
SUB_LINE = b'{"type":"update","topic":"t.a","seq":%d,"ts":5000,"data":{"n":%d}}\n'


@pytest.mark.parametrize("on_damage", ["end", "skip"])
@pytest.mark.parametrize("damage", DAMAGES_OF_SUB)
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["", "byte order mark"])
def test_a_damaged_line_of_a_recording_is_named_whatever_it_begins_with(
    start, damage, on_damage, start_server, eventually, caplog, tmp_path
):
    path = tmp_path / "recorded.ndjson"
    path.write_bytes(start + SUB_LINE % (1, 1) + DAMAGES_OF_SUB[damage] + SUB_LINE % (3, 3))
    settings = {"file": str(path), "on_damage": on_damage}
    server = start_server("replay", plugins={"replay": settings})
    eventually(lambda: server.health["plugins"]["replay"]["state"] == "finished")
    last = {"end": (1, {"n": 1}), "skip": (2, {"n": 3})}[on_damage]
    image = server.snapshot("t.a")
    assert (image.seq, image.data) == last
    assert f"{path}: line 2 is damaged: " in caplog.text


BEFORE = b'10.0: {"type":"ticker","product_id":"A","price":"1.00"}\n'
AFTER = b'10.2: {"type":"ticker","product_id":"A","price":"3.00"}\n'


@pytest.mark.parametrize("on_damage", ["end", "skip"])
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("loop", [False, True])
def test_a_damaged_line_is_named_and_the_replay_ends_or_goes_on_after_it(
    damage, on_damage, loop, start_server, eventually, caplog, tmp_path
):
    if loop and on_damage == "skip":
        pytest.skip("it does not end")
    path = tmp_path / "session.txt"
    path.write_bytes(BEFORE + DAMAGES[damage] + AFTER)
    settings = {"file": str(path), "speed": 0, "loop": loop, "on_damage": on_damage}
    server = start_server("replay", plugins={"replay": settings})
    eventually(lambda: server.health["plugins"]["replay"]["state"] == "finished")
    last = {"end": (1, "1.00"), "skip": (2, "3.00")}[on_damage]
    image = server.snapshot("replay.ticker.A")
    assert (image.seq, image.data["price"]) == last
    assert f"{path}: line 2 is damaged: " in caplog.text
    assert server.health["plugins"]["replay"]["errors"] == 0


def test_a_compressed_file_ends_where_the_rest_cannot_be_read(
    start_server, eventually, caplog, tmp_path
):
    path = tmp_path / "session.xz"
    lines = [BEFORE.replace(b"1.00", b"%d" % number) for number in range(1000)]
    compressed = lzma.compress(b"".join(lines))
    path.write_bytes(compressed[: len(compressed) // 2])
    settings = {"file": str(path), "speed": 0, "on_damage": "skip"}
    server = start_server("replay", plugins={"replay": settings})
    eventually(lambda: server.health["plugins"]["replay"]["state"] == "finished")
    assert "is damaged: Compressed file ended before the end-of-stream marker" in caplog.text


# --- what `tickwire sub --json` wrote

SUB = """\
{"type":"snapshot","topic":"ticker.A","seq":7,"ts":5000,"status":"live","data":{"last":"0.10","old":1}}
{"type":"snapshot","topic":"trade.A","seq":3,"ts":4000,"status":"live","delivery":"event","data":{"n":3}}
{"type":"update","topic":"trade.A","seq":4,"ts":9000,"delivery":"event","data":{"n":4}}
{"type":"update","topic":"trade.A","seq":4,"ts":9000,"delivery":"event","data":{"n":4}}
{"type":"gap","topic":"trade.A","from":5,"to":6}
{"type":"update","topic":"ticker.A","seq":8,"ts":9001,"data":{ "last":"0.20" }}
{"type":"status","topic":"ticker.A","seq":8,"ts":9001,"status":"halted"}
{"type":"snapshot","topic":"ticker.A","seq":20,"ts":9002,"status":"live","data":{"last":"0.30"}}
{"type":"update","topic":"trade.A","seq":7,"ts":9003,"delivery":"event","data":{"n":7}}
{"type":"heartbeat"}
"""


def test_a_recording_of_sub_is_played_to_its_topics_as_what_they_were(
    start_server, eventually, tmp_path
):
    path = tmp_path / "recorded.ndjson"
    path.write_text(SUB)
    server = start_server(plugins={"replay": {"file": str(path)}})
    seen = []
    with server.subscribe("ticker.A", "trade.A") as updates:
        server.add_plugin("replay")
        while len(seen) < 9:
            update = updates.get(20)
            value = update.raw if update.kind == "update" else update.status
            seen.append((update.kind, update.topic, update.delivery, value))
    assert [one for one in seen if one[0] == "update" and one[1] == "ticker.A"] == [
        ("update", "ticker.A", None, '{"last":"0.10","old":1}'),
        ("update", "ticker.A", None, '{ "last":"0.20" }'),
        ("update", "ticker.A", None, '{"last":"0.30","old":null}'),
    ]
    assert [one for one in seen if one[1] == "trade.A" and one[0] == "update"] == [
        ("update", "trade.A", "event", '{"n":3}'),
        ("update", "trade.A", "event", '{"n":4}'),
        ("update", "trade.A", "event", '{"n":7}'),
    ]
    statuses = [value for kind, topic, _, value in seen if kind == "status" and topic == "ticker.A"]
    assert statuses[:2] == ["halted", "live"]
    eventually(lambda: server.health["plugins"]["replay"]["state"] == "finished")
    assert server.snapshot("ticker.A").data == {"last": "0.30"}


@pytest.mark.parametrize("delivery", ["value", "event"])
def test_what_sub_records_of_a_server_another_one_plays(
    delivery, start_server, run_server, programs, eventually, tmp_path
):
    @feed("t.*", topics=["t.a"], delivery=delivery)
    async def source(pub):
        async for _, wanted in pub.demand():
            for number in range(20) if wanted else ():
                pub.publish("t.a", {"n": number, "price": Decimal("0.10")})
                await asyncio.sleep(0.01)

    server = start_server(source)
    command = [programs / "tickwire", "sub", "t.a", "--json", "--count", "20", "--url", server.url]
    lines = run(*command)
    path = tmp_path / "recorded.ndjson"
    path.write_text("\n".join(lines) + "\n")
    other = start_server("replay", plugins={"replay": {"file": str(path), "speed": 0}})
    eventually(lambda: other.health["plugins"]["replay"]["state"] == "finished")
    eventually(lambda: other.snapshot("t.a").status == "stale")
    mine, theirs = server.snapshot("t.a"), other.snapshot("t.a")
    assert (theirs.raw, theirs.delivery) == (mine.raw, mine.delivery)


def test_a_binance_stream_names_its_topic_too():
    text = '{"stream":"nknusdt@depth@100ms","data":{"e":"depthUpdate"}}'
    assert topic_of("replay.{stream}", text) == "replay.nknusdt_depth_100ms"
    assert topic_of("replay.{stream}", "[1]") is None
    assert topic_of("replay.{stream}", "no json") is None


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "plugins.replay.file: is not set"),
        ({"file": "no/such.xz"}, "plugins.replay.file: no/such.xz"),
        ({"file": __file__, "speed": -1}, "plugins.replay.speed: -1"),
        ({"file": __file__, "speed": "fast"}, "plugins.replay.speed: 'fast'"),
        ({"file": __file__, "on_damage": "stop"}, "plugins.replay.on_damage: 'stop'"),
    ],
)
def test_a_wrong_setting_is_named(settings, fault, start_server, eventually, caplog):
    server = start_server("replay", plugins={"replay": settings})
    eventually(lambda: server.health["plugins"]["replay"]["errors"] >= 1)
    assert fault in caplog.text


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
