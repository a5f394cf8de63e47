"""What the benchmarks print and write: verdicts, widths, the document's table, the plot."""

from typing import Any
from xml.etree import ElementTree

import pytest


@pytest.mark.usefixtures("harness")
class TestVerdict:
    @pytest.mark.parametrize(
        ("values", "goal", "said"),
        [
            ([1.1, 1.15, 1.3], {"at_most": 1.15}, "reached"),
            ([1.1, 1.151, 1.3], {"at_most": 1.15}, "NOT REACHED"),
            ([0.95], {"at_least": 0.95}, "reached"),
            ([0.949], {"at_least": 0.95}, "NOT REACHED"),
            ([0.5], {"at_most": 1.0, "note": "3 holes in seq"}, "NOT REACHED"),
            ([], {"at_most": 1.0}, "NOT REACHED"),
            ([1.0], {}, ""),
        ],
    )
    def test_the_median_decides_and_a_fault_is_never_a_success(
        self, values: list[float], goal: dict[str, Any], said: str
    ) -> None:
        from harness.report import verdict
        from harness.rows import Row

        assert verdict(Row("a case", "1 us", "1 us", values, **goal).as_dict()) == said


def window(us: float) -> dict[str, float]:
    return {"us_per_message": us}


def saved() -> dict[str, Any]:
    from harness.rows import Row

    def case(name: str, *rows: Row, **data: Any) -> dict[str, Any]:
        machine = {"cpu": "a <fast> one", "cores": 2, "kernel": "6.1", "load_average": 0.1}
        return {
            "case": name,
            "machine": machine,
            "rows": [row.as_dict() for row in rows],
            "data": data,
        }

    sizes = {str(n): {"ours": [window(1.2)], "floor": [window(1.0)]} for n in (100, 1_000, 19_000)}
    return {
        "plain": case(
            "plain",
            Row("plain: CPU", "0.310 us", "0.280 us", [1.1, 1.2, 1.3], at_most=1.15),
            ours=[window(0.31)],
            floor=[window(0.28)],
        ),
        "deflate": case("deflate", ours=[], zlib=[window(5.0)], plain=[window(0.3)]),
        "codec": case("codec", bytes={"kraken": {"zlib 1": "46", "2 bases": "43"}}),
        "connections": case("connections", **sizes),
        "python": case(
            "python",
            Row("Python publish_table", "3.10 M/s", "-", [2e6, 4e6], "/s", at_least=3e6),
        ),
    }  # fmt: skip


@pytest.mark.usefixtures("harness")
class TestReport:
    def test_a_line_fits_into_100_columns(self, capsys: pytest.CaptureFixture[str]) -> None:
        from harness.report import print_row
        from harness.rows import Row

        for row in (
            Row("1,000 of 5,000 stall: RSS, its cap", "10,000 of B", "heap 12345 B",
                [111.11, 222.22, 333.33], at_most=1.15),
            Row("Python publish_table", "3.10 M/s", "-", [2e6, 4e6], "/s", at_least=3e6),
        ):  # fmt: skip
            print_row(row.as_dict())
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= 100
        assert lines[0].endswith("NOT REACHED")
        assert lines[1].split()[-4:] == ["(2.00-4.00)", ">=3", "M", "reached"]

    def test_the_document_s_table_says_what_was_missed(self) -> None:
        from harness.report import section

        lines = [*section(saved())]
        assert (
            "| plain: CPU | 0.310 us | 0.280 us | 1.20 (1.10-1.30)"
            " | <=1.15 | **not reached** |" in lines
        )
        assert len({line.count("|") for line in lines if line.startswith("|")}) == 1

    def test_what_a_user_asks_first_comes_first(self) -> None:
        from harness.report import section
        from harness.rows import Question, Row

        found = saved()
        crowd = Row("a crowd", "1 %", "1 %", [1.0], question=Question.CROWD)
        late = Row("lateness", "1 ms", "1 ms", [1.0], "ms", at_most=3, question=Question.LATENESS)
        found["python"]["rows"] += [late.as_dict(), crowd.as_dict()]  # of the last case
        lines = [*section(found)]
        titles = [line.removeprefix("### ") for line in lines if line.startswith("### ")]
        assert titles == [Question.CROWD, Question.LATENESS, Question.MESSAGE]
        table = lines[lines.index(f"### {Question.CROWD}") :]
        assert table[4].startswith("| a crowd |")
        assert "| lateness | 1 ms | 1 ms | 1 | <=3 ms | reached |" in lines

    def test_the_goals_that_were_missed_are_named_before_the_tables(self) -> None:
        from harness.report import goals_line
        from harness.rows import Row

        found = saved()
        found["plain"]["rows"].append(
            Row("  its loop", "1 us", "1 us", [2.0], at_most=1.1).as_dict()
        )
        assert goals_line(found) == (
            "1 of 3 goals are reached; not reached: plain: CPU; plain: CPU, its loop."
        )

    def test_the_plot_is_one_well_formed_picture_of_what_there_is(self) -> None:
        from harness.plot import plot

        everything = ElementTree.fromstring(plot(saved()))
        words = " ".join(text for text in everything.itertext())
        for word in ("tickwire, plain", "zlib a connection", "kraken: zlib 1", "19,000", "goal"):
            assert word in words
        assert "tickwire, deflate" not in words  # there is no figure of it
        only_codec = ElementTree.fromstring(plot({"codec": saved()["codec"]}))
        assert len(only_codec.findall("{http://www.w3.org/2000/svg}g")) == 1


@pytest.mark.usefixtures("harness")
def test_the_tables_of_codec_bench_are_read() -> None:
    from harness.codec import tables

    text = "Title\n\n| messages | zlib 1 |\n| kraken   |   46.2 |\n\n| a |\n| 1 |\n| 2 |\n"
    assert [*tables(text)] == [
        [{"messages": "kraken", "zlib 1": "46.2"}],
        [{"a": "1"}, {"a": "2"}],
    ]


@pytest.mark.usefixtures("harness")
def test_a_window_is_what_was_counted_between_two_moments() -> None:
    from harness.measure import window

    before = {"t_us": 0, "cpu_s": 1.0, "messages": 10, "bytes": 100, "writes": 1, "turns": 1,
              "thread_cpu_s": {"tickwire-0": 0.5, "publisher": 0.5}}  # fmt: skip
    after = {"t_us": 2_000_000, "cpu_s": 3.0, "messages": 1_010, "bytes": 200_100, "writes": 101,
             "turns": 51, "thread_cpu_s": {"tickwire-0": 2.0, "publisher": 1.0}}  # fmt: skip
    load = {"holes": 0, "closed": 2, "messages": 990, "reads": 9, "heartbeats": 4, "pings": 3,
            "latency_us": {"p99": 7}}  # fmt: skip
    found = window(before, after, load)
    assert found.us_per_message == pytest.approx(2000)
    assert found.loop_us_per_message == pytest.approx(1500)
    assert found.loop_share == pytest.approx(75)
    assert found.publisher_share == pytest.approx(25)
    assert found.received == 990
    assert found.messages_per_s == pytest.approx(500)
    assert found.turn_us == 40_000
    assert found.faults == ["2 connections lost"]
