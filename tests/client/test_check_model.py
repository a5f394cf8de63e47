"""What `tickwire check` notices: a stream that is right, and each way in which it can be wrong."""

import json
from typing import Any

import pytest

from tickwire._tools.check.messages import KEPT_MAX, Messages
from tickwire._tools.check.model import Model
from tickwire._tools.check.tally import FAULTS_MAX, Tally

RUN = 7
BEFORE = 10
"""Updates of the topic before this run of the feed: what lies between seq and count."""

VALUE, EVENT = "check.value.0", "check.event.0"


class Plant:
    """A server that is right, with a value topic and an event topic; and a model of a client."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.model = Model("client 0", self.tally, Messages(), {})
        self.images: dict[str, dict[str, int]] = {VALUE: {}, EVENT: {}}
        self.seqs = {VALUE: BEFORE, EVENT: BEFORE}
        self.welcome()

    def say(self, **told: Any) -> None:
        self.model.take([self.text(**told)])

    def text(self, **told: Any) -> bytes:
        return json.dumps(told, separators=(",", ":")).encode()

    def welcome(self, epoch: str = "e1") -> None:
        self.say(type="welcome", session="s", epoch=epoch, heartbeat_s=15, server="x", ts=1)

    def answer(self, command: str, *results: dict[str, Any]) -> None:
        told = json.loads(command)
        plain = [{"topic": topic, "seq": self.seqs.get(topic, 0)} for topic in told["topics"]]
        self.say(type="ack", id=told["id"], results=list(results) or plain)

    def next(self, topic: str, **fields: int | None) -> bytes:
        """The topic's next update, published: whoever drops it makes a hole."""
        self.seqs[topic] += 1
        image = self.images[topic] if topic == VALUE else {}
        changed: dict[str, int | None] = {"run": RUN, "n": self.seqs[topic] - BEFORE, **fields}
        image |= {name: value for name, value in changed.items() if value is not None}
        for name in [name for name, value in changed.items() if value is None]:
            del image[name]
        image["sum"] = changed["sum"] = -sum(v for k, v in image.items() if k != "sum")
        self.images[topic] = image
        more = {} if topic == VALUE else {"delivery": "event"}
        return self.text(
            type="update", topic=topic, seq=self.seqs[topic], ts=1, **more, data=changed
        )

    def update(self, topic: str, **fields: int | None) -> None:
        self.model.take([self.next(topic, **fields)])

    def snapshot(self, topic: str, **wrong: Any) -> None:
        more = {} if topic == VALUE else {"delivery": "event"}
        told = {"seq": self.seqs[topic], "data": self.images[topic], **more, **wrong}
        self.say(type="snapshot", topic=topic, ts=1, status="live", **told)

    @property
    def violations(self) -> dict[str, int]:
        names = ("silent_gaps", "duplicates", "wrong_images", "unwanted", "broken", "missing")
        return {name: n for name, n in self.tally.counts().items() if n and name in names}


@pytest.fixture
def plant() -> Plant:
    """Both topics are followed, each at its second update of this run."""
    plant = Plant()
    for topic in (VALUE, EVENT):
        plant.next(topic, a=5, b=6)
    plant.answer(plant.model.resume([VALUE, EVENT]))
    for topic in (VALUE, EVENT):
        plant.snapshot(topic)
        plant.update(topic, a=1, c=2)
    return plant


def test_a_stream_that_is_right_is_right(plant: Plant) -> None:
    plant.update(VALUE, a=None)
    plant.update(VALUE, a=3)
    plant.update(EVENT, z=3)
    plant.say(type="status", topic=VALUE, seq=plant.seqs[VALUE], ts=1, status="halted")
    plant.say(type="heartbeat", ts=1)
    for _ in range(3):
        plant.next(VALUE, b=1)
    plant.snapshot(VALUE)
    first = plant.seqs[EVENT] + 1
    for _ in range(2):
        plant.next(EVENT)
    plant.say(**{"type": "gap", "topic": EVENT, "from": first, "to": first + 1})
    plant.update(EVENT)
    assert plant.violations == {}
    assert (plant.tally.updates_conflated, plant.tally.gaps) == (2, 2)


# --- mutations ------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", [VALUE, EVENT])
def test_a_skipped_seq_is_a_silent_gap_and_counted_once(plant: Plant, topic: str) -> None:
    plant.next(topic, a=50)
    for _ in range(3):
        plant.update(topic, b=1)
    assert plant.violations == {"silent_gaps": 1}
    plant.snapshot(topic)
    plant.update(topic, a=1)
    assert plant.violations == {"silent_gaps": 1}


@pytest.mark.parametrize("topic", [VALUE, EVENT])
def test_a_message_that_comes_twice_is_a_duplicate(plant: Plant, topic: str) -> None:
    text = plant.next(topic, a=50)
    plant.model.take([text, text])
    plant.update(topic, b=1)
    assert plant.violations == {"duplicates": 1}


def test_an_old_image_under_a_new_seq_is_wrong(plant: Plant) -> None:
    old = dict(plant.images[VALUE])
    plant.next(VALUE, a=50)
    plant.snapshot(VALUE, data=old)
    assert plant.violations == {"wrong_images": 1}


def test_an_old_snapshot_is_wrong(plant: Plant) -> None:
    old = {"seq": plant.seqs[VALUE], "data": dict(plant.images[VALUE])}
    plant.update(VALUE, a=50)
    plant.snapshot(VALUE, **old)
    assert plant.violations == {"wrong_images": 1}


def test_an_image_that_does_not_add_up_is_wrong_until_it_does(plant: Plant) -> None:
    plant.snapshot(VALUE, data={**plant.images[VALUE], "a": 77})
    plant.update(VALUE, b=1)
    plant.update(VALUE, b=2)
    assert plant.violations == {"wrong_images": 1}
    plant.update(VALUE, a=1)
    plant.snapshot(VALUE, data={**plant.images[VALUE], "a": 77})
    assert plant.violations == {"wrong_images": 2}


def test_an_update_with_another_s_data_is_wrong(plant: Plant) -> None:
    other = json.loads(plant.next(VALUE, a=50))["data"]
    plant.say(type="update", topic=VALUE, seq=plant.seqs[VALUE], ts=1, data={**other, "b": 1})
    assert plant.violations == {"wrong_images": 1}


def test_nothing_may_come_after_the_answer_to_an_unsubscribe(plant: Plant) -> None:
    command = plant.model.unsubscribe([VALUE])
    plant.update(VALUE, a=1)
    assert plant.violations == {}, "until then it was on its way"
    plant.answer(command)
    plant.update(EVENT, a=1)
    plant.update(VALUE, a=2)
    assert plant.violations == {"unwanted": 1}


def test_what_was_never_asked_for_is_unwanted(plant: Plant) -> None:
    plant.say(type="update", topic="check.value.9", seq=1, ts=1, data={})
    assert plant.violations == {"unwanted": 1}


def test_a_snapshot_may_not_make_up_for_events(plant: Plant) -> None:
    plant.next(EVENT)
    plant.snapshot(EVENT)
    assert plant.violations == {"silent_gaps": 1}
    plant.answer(plant.model.subscribe([EVENT]))
    plant.next(EVENT)
    plant.snapshot(EVENT)
    assert plant.violations == {"silent_gaps": 1}, "but for one that subscribed again it may"


def test_two_commands_may_each_begin_with_a_snapshot(plant: Plant) -> None:
    """The snapshot of the first is on its way when the second is sent, and does not count for
    it."""
    plant.answer(plant.model.subscribe(["check.event.*"]))
    second = plant.model.subscribe([EVENT])
    plant.snapshot(EVENT)
    plant.answer(second)
    plant.next(EVENT)
    plant.snapshot(EVENT)
    assert plant.violations == {}
    plant.next(EVENT)
    plant.snapshot(EVENT)
    assert plant.violations == {"silent_gaps": 1}, "and no third one"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(1, 2, {}), (2, 2, {"silent_gaps": 1}), (0, 2, {"duplicates": 1})],
)
def test_a_gap_says_exactly_what_is_gone(
    plant: Plant, first: int, last: int, expected: dict[str, int]
) -> None:
    at = plant.seqs[EVENT]
    plant.say(**{"type": "gap", "topic": EVENT, "from": at + first, "to": at + last})
    assert plant.violations == expected


@pytest.mark.parametrize(
    ("by", "expected"), [(0, {}), (1, {"silent_gaps": 1}), (-1, {"duplicates": 1})]
)
def test_a_status_has_the_seq_of_the_update_before(
    plant: Plant, by: int, expected: dict[str, int]
) -> None:
    plant.say(type="status", topic=VALUE, seq=plant.seqs[VALUE] + by, ts=1, status="live")
    assert plant.violations == expected


def test_what_never_came_is_missing(plant: Plant) -> None:
    assert plant.model.missing(plant.seqs) == []
    plant.next(VALUE, a=1)
    assert plant.model.missing({**plant.seqs, "check.value.9": 1}) == [VALUE]


@pytest.mark.parametrize(
    "text",
    [
        b"not JSON",
        b"[]",
        b'{"topic":"check.value.0"}',
        b'{"type":"update","topic":"check.value.0","seq":13,"data":7}',
        b'{"type":"update","topic":"check.value.0","seq":13,"data":{"a":"7"}}',
        b'{"type":"ack","id":99,"results":[]}',
        b'{"type":"error","code":"internal","message":"m","retryable":true}',
    ],
)
def test_what_is_against_the_protocol_is_broken(plant: Plant, text: bytes) -> None:
    plant.model.take([text])
    assert plant.violations == {"broken": 1}


# --- connections ----------------------------------------------------------------------------------


def resume(plant: Plant, epoch: str = "e1", **result: Any) -> dict[str, Any]:
    """Loses the connection, and returns the command that resumes the value topic only."""
    plant.model.connection_lost()
    command = plant.model.resume([VALUE])
    plant.welcome(epoch)
    told: dict[str, Any] = json.loads(command)
    plant.answer(command, {"topic": VALUE, "seq": plant.seqs[VALUE], **result})
    return told


def test_it_goes_on_where_it_was(plant: Plant) -> None:
    missed = [plant.next(VALUE, a=n) for n in range(3)]
    command = resume(plant, recovered=True, missed=3)
    assert (command["since"], command["epoch"]) == ({VALUE: 12, EVENT: 12}, "e1")
    plant.model.take(missed)
    plant.update(VALUE, b=1)
    assert plant.violations == {}
    assert (plant.tally.recovered, plant.tally.not_recovered) == (1, 0)


def test_a_replay_with_a_hole_is_a_silent_gap(plant: Plant) -> None:
    missed = [plant.next(VALUE, a=n) for n in range(3)]
    resume(plant, recovered=True, missed=3)
    plant.model.take(missed[1:])
    assert plant.violations == {"silent_gaps": 1}


def test_a_replay_of_what_is_known_is_a_duplicate(plant: Plant) -> None:
    known = plant.next(VALUE, a=1)
    plant.model.take([known])
    resume(plant, recovered=True, missed=0)
    plant.model.take([known])
    assert plant.violations == {"duplicates": 1}


def test_the_answer_must_count_what_was_missed(plant: Plant) -> None:
    plant.next(VALUE, a=1)
    resume(plant, recovered=True, missed=5)
    assert plant.violations == {"broken": 1}


def test_another_epoch_begins_anew_and_may_recover_nothing(plant: Plant) -> None:
    plant.seqs[VALUE] = 0
    resume(plant, epoch="e2", recovered=False)
    plant.say(type="update", topic=VALUE, seq=1, ts=1, data={"run": 1, "n": 1, "sum": -2})
    assert plant.violations == {}
    resume(plant, epoch="e3", recovered=True, missed=0)
    assert plant.violations == {"broken": 1}


def test_a_new_run_of_the_feed_counts_anew_but_an_old_one_does_not(plant: Plant) -> None:
    seq = plant.seqs[VALUE]
    old = plant.images[VALUE]
    fields: dict[str, int | None] = dict.fromkeys(old)
    plant.say(
        type="update", topic=VALUE, seq=seq + 1, ts=1, data=fields | {"run": 8, "n": 1, "sum": -9}
    )
    plant.say(type="update", topic=VALUE, seq=seq + 2, ts=1, data={"n": 2, "sum": -10})
    assert plant.violations == {}
    plant.seqs[VALUE] = seq + 2
    plant.snapshot(VALUE, data=old)
    assert plant.violations == {"wrong_images": 1}


# --- small parts ----------------------------------------------------------------------------------


def test_texts_are_decoded_once_and_only_so_many_kept() -> None:
    messages = Messages()
    text = b'{"type":"status","topic":"a","seq":%d}'
    assert messages[text % 1] is messages[text % 1]
    assert messages[b'{"type":"heartbeat"}'] is not messages[b'{"type":"heartbeat"}']
    for n in range(KEPT_MAX):
        messages[text % n]
    assert len(messages) == KEPT_MAX
    messages[text % KEPT_MAX]
    assert len(messages) == 1


def test_tallies_add_up_and_describe_the_first_faults() -> None:
    one, two = Tally(messages=1), Tally(messages=2)
    for n in range(FAULTS_MAX + 1):
        two.fault("duplicates", f"fault {n}")
    one.fault("missing", "first")
    one.add(two)
    assert (one.messages, one.violations, len(one.faults)) == (3, FAULTS_MAX + 2, FAULTS_MAX)


def test_what_was_asked_for_and_never_answered_is_missing(plant: Plant) -> None:
    plant.model.subscribe(["other.*"])
    plant.model.unsubscribe(["more.*"])
    assert plant.model.missing({"other.1": 1, "more.1": 1}) == ["other.1"]
