"""`tickwire check` waits as long as something arrives, however slow the machine is."""

from tickwire._tools.check.patience import Patience


def test_nothing_is_waited_for_when_nothing_is_missing() -> None:
    assert not Patience(3).waits(0)


def test_it_ends_after_so_many_looks_in_vain() -> None:
    patience = Patience(3)
    assert [patience.waits(7) for _ in range(5)] == [True, True, True, False, False]


def test_it_goes_on_while_something_arrives() -> None:
    patience = Patience(2)
    looks = [9, 9, 8, 8, 9, 7, 7, 1, 1, 0]
    assert [patience.waits(missing) for missing in looks[:-1]] == [
        True, True, True, True, False, True, True, True, True,
    ]  # fmt: skip
    assert not patience.waits(0)
