"""What is remembered of a message's way: pure, without a broker."""

import pytest

pytest.importorskip("aio_pika")

from tickwire.feeds._rabbitmq_take import Origins, Taken
from tickwire.feeds.rabbitmq import address, routing_key


def test_an_update_is_new_once_and_what_is_missing_is_counted():
    origins = Origins(topics_max=2)
    assert origins.come("x", "a", "e1", 5) == (True, -1)
    assert origins.come("x", "a", "e1", 5) == (False, 0)
    assert origins.come("x", "a", "e1", 6) == (True, 0)
    assert origins.come("y", "a", "e1", 1) == (True, -1)
    assert origins.come("x", "a", "e1", 10) == (True, 3)
    assert origins.come("x", "a", "e2", 1) == (True, -1)
    assert origins.come("x", "b", "e2", 1) == (True, -1)  # one too many: the quietest goes
    assert origins.come("y", "a", "e1", 1) == (True, -1)


def test_topics_of_a_silent_plant_are_named_once():
    origins = Origins()
    origins.come("x", "a", "e", 1)
    origins.come("y", "b", "e", 1)
    origins.hear("x", 0.0)
    origins.hear("y", 10.0)
    assert origins.take_silent(15.0) == []
    assert origins.take_silent(15.1) == ["a"]
    assert origins.take_silent(16.0) == []
    assert origins.take_silent(25.1) == ["b"]


def test_what_was_taken_is_known_when_it_comes_round():
    taken = Taken(["chat.>"])
    for seq in (3, 5, 6):
        taken.add("chat.A", seq)
    taken.add("other.A", 1)
    assert [taken.has("chat.A", seq) for seq in (2, 3, 4, 5, 7)] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert not taken.has("other.A", 1)


@pytest.mark.parametrize(
    ("pattern", "key"),
    [(">", "#"), ("a.>", "a.#"), ("a.*.b", "a.*.b"), ("a.b", "a.b"), ("*.>", "*.#")],
)
def test_patterns_are_spelled_as_rabbitmq_does(pattern, key):
    assert routing_key(pattern) == key


def test_the_password_of_a_file_takes_the_place_of_the_urls(tmp_path):
    file = tmp_path / "password"
    file.write_text("s/cret\n")
    config = {"url": "amqps://u:x@mq:5671/v", "password_file": str(file)}
    assert address(config) == "amqps://u:s%2Fcret@mq:5671/v"
