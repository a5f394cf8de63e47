"""An Update made of a server's text is the same value as one made by hand."""

import copy
import pickle

import pytest

from tickwire.update import Update, parse_message

TEXT = '{"type":"update","topic":"a","seq":7,"ts":9,"delivery":"event","data":{"x":[1]}}'
SNAPSHOT = '{"type":"snapshot","topic":"a","seq":7,"ts":9,"status":"halted","data":{"x":[1]}}'


def of_text(text: str = TEXT) -> Update:
    update = parse_message(text)
    assert isinstance(update, Update)
    return update


def by_hand(text: str = TEXT) -> Update:
    if text == TEXT:
        return Update("update", "a", 7, 9, None, {"x": [1]}, '{"x":[1]}', None, "event", TEXT)
    return Update("snapshot", "a", 7, 9, "halted", {"x": [1]}, '{"x":[1]}', text=text)


@pytest.mark.parametrize("text", [TEXT, SNAPSHOT])
def test_it_equals_one_that_its_constructor_made(text: str) -> None:
    lazy, eager = of_text(text), by_hand(text)
    assert lazy == eager
    assert hash(lazy) == hash(eager)
    assert repr(lazy) == repr(eager)
    assert lazy != Update("update", "a", 8)
    assert lazy != "a"


@pytest.mark.parametrize("made", [of_text, by_hand])
def test_it_can_be_pickled_and_copied(made: object) -> None:
    update = made()  # type: ignore[operator]
    assert pickle.loads(pickle.dumps(update)) == update
    assert copy.copy(update) == copy.deepcopy(update) == update


def test_it_can_be_matched() -> None:
    match of_text():
        case Update("update", topic, seq, data={"x": [one]}):
            assert (topic, seq, one) == ("a", 7, 1)
        case _:
            raise AssertionError


def test_its_data_is_decoded_once() -> None:
    update = of_text()
    assert update.data is update.data
    assert (update.raw, update.text) == ('{"x":[1]}', TEXT)


def test_its_defaults_and_its_repr_are_those_of_the_documentation() -> None:
    update = Update("gap", "a", 9, missed=3)
    assert repr(update) == (
        "Update(kind='gap', topic='a', seq=9, ts=0, status=None, data={}, raw='', missed=3,"
        " delivery=None, recovered=None)"
    )
    assert (update.first_seq, update.text, update.data) == (7, "", {})
    assert Update("status", "a", 3).data is not update.data


def test_a_wrong_argument_is_named() -> None:
    with pytest.raises(TypeError, match="colour"):
        Update("gap", "a", 9, colour=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="seq"):
        Update("gap", "a")  # type: ignore[call-arg]


def test_it_says_why_an_operator_halts_the_topic_and_until_when() -> None:
    def halt(members: str, data: str = ',"data":{}') -> tuple[str, int | None] | None:
        return of_text(f'{{"type":"snapshot","topic":"a","seq":7,"ts":9{members}{data}}}').halt

    reason = '"reason":"a \\"news\\" \\u00e9,\\"data\\":"'
    assert halt(f',"status":"halted",{reason},"until":99') == ('a "news" é,"data":', 99)
    assert halt(f',"status":"halted",{reason}') == ('a "news" é,"data":', None)
    assert halt(',"status":"halted"') is None
    assert halt(',"status":"live"', ',"data":{"reason":"of the feed","n":[1e9]}') is None
    status = of_text('{"type":"status","topic":"a","seq":7,"ts":9,"status":"halted","reason":"x"}')
    assert status.halt == ("x", None)
    assert Update("status", "a", 7, status="halted").halt is None
