"""What a server knew is there again after a restart, before the first client could ask."""

import signal

import pytest

from server.conftest import StartDaemon

ARGS = ("--set", "store.path=ticks.db", "--set", "auth.publish=open")
IMAGE = '{"last":"0.10","bid":1.00,"size":1e5,"note":"\\u00e9"}'


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_clean_stop_keeps_epoch_seq_and_the_bytes_of_the_image(
    start_daemon: StartDaemon, number: int
) -> None:
    first = start_daemon(*ARGS)
    with first.connect() as client:
        epoch = client.welcome["epoch"]
        client.publish("ticker.BTC-USD", {"last": "0.09"})
        client.send(f'{{"type":"publish","topic":"ticker.BTC-USD","data":{IMAGE}}}')
        assert client.receive()["results"][0]["seq"] == 2
    assert first.stop(number) == 0

    second = start_daemon(*ARGS)
    with second.connect() as client:
        assert client.welcome["epoch"] == epoch
        client.send({"type": "subscribe", "topics": ["ticker.BTC-USD"]})
        assert client.receive()["results"] == [{"topic": "ticker.BTC-USD", "seq": 2}]
        text = client.connection.recv(timeout=60)
        assert f'"data":{IMAGE}' in text
        assert '"status":"stale"' in text, "nobody vouches for the price yet"
        assert client.publish("ticker.ETH-USD", {}) == 1
        assert client.publish("ticker.BTC-USD", {"last": "0.11"}) == 3


def test_a_killed_server_comes_back_with_its_images_and_a_new_epoch(
    start_daemon: StartDaemon,
) -> None:
    first = start_daemon(*ARGS, "--set", "store.flush_ms=10")
    with first.connect() as client:
        epoch = client.welcome["epoch"]
        client.publish("ticker.BTC-USD", {"last": "1"})
        client.publish("ticker.ETH-USD", {"last": "2"})
    first.stop()

    second = start_daemon(*ARGS)
    with second.connect() as client:
        client.publish("ticker.ETH-USD", {"last": "lost"})
    second.kill()

    third = start_daemon(*ARGS)
    health = third.http("/health").json
    assert health["epoch"] != epoch
    assert (health["topics"], health["stale"]) == (2, 2)
    snapshot = third.http("/v1/snapshot/ticker.BTC-USD").json
    assert (snapshot["epoch"], snapshot["seq"]) == (health["epoch"], 1)
    assert snapshot["data"] == {"last": "1"}


def test_a_stored_chat_is_there_after_a_restart_and_its_readers_go_on(
    start_daemon: StartDaemon,
) -> None:
    args = (
        *ARGS,
        *("--set", "topics.chat.>.delivery=event"),
        *("--set", "topics.chat.>.history=stored"),
    )
    first = start_daemon(*args)
    with first.connect() as client:
        epoch = client.welcome["epoch"]
        for number in range(5):
            client.publish("chat.lobby", {"n": number})
    assert first.stop() == 0

    second = start_daemon(*args)
    with second.connect() as client:
        client.send({"type": "subscribe", "topics": ["chat.lobby"], "last": 2})
        assert client.receive()["type"] == "ack"
        assert [client.receive()["data"]["n"] for _ in range(2)] == [3, 4]
    with second.connect() as client:
        client.send(
            {
                "type": "subscribe",
                "topics": ["chat.*"],
                "since": {"chat.lobby": 2},
                "epoch": epoch,
            }
        )
        assert client.receive()["results"] == [{"topic": "chat.*", "recovered": True, "missed": 3}]
        assert [client.receive()["seq"] for _ in range(3)] == [3, 4, 5]
        assert client.receive()["type"] == "status"
        assert client.publish("chat.lobby", {"n": 5}) == 6


def test_without_a_store_nothing_comes_back(start_daemon: StartDaemon) -> None:
    first = start_daemon("--set", "auth.publish=open")
    with first.connect() as client:
        client.publish("ticker.BTC-USD", {})
    assert first.http("/health").json["store"] == "off"
    first.stop()
    second = start_daemon()
    assert second.http("/health").json["topics"] == 0
    assert second.http("/health").json["epoch"] != client.welcome["epoch"]
