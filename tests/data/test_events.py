import logging

import numpy as np
import pandas
import pytest

from jaxemb import data
from jaxemb.data.events import read_events
from jaxemb.errors import InputError, UnknownWordError


def test_events_are_sorted_by_user_and_time_with_ties_in_the_order_given():
    events = data.from_events(
        ["b", "a", "b", "a", "b"], [5, 7, 9, 5, 7], times=[4, 3, 1, 3, 4], weights=[1, 2, 3, 4, 5]
    )
    assert events.user_names == ["a", "b"]
    assert events.history("a") == ["7", "5"]
    assert events.history("b") == ["9", "5", "7"]
    assert events.times.tolist() == [3, 3, 1, 4, 4]
    assert events.weights.tolist() == [2, 4, 3, 1, 5]
    assert events.starts.tolist() == [0, 2, 5]


def test_items_come_most_frequent_first_and_then_by_name():
    events = data.from_events([1, 2, 1, 2, 1], ["x", "z", "z", "y", "q"])
    assert events.item_names == ["z", "q", "x", "y"]


def test_numbers_as_text_are_in_the_order_of_numbers():
    events = data.from_events(["10", "9", "9"], ["2", "10", "1"])
    assert events.user_names == ["9", "10"]
    assert events.item_names == ["1", "2", "10"]


def test_without_times_the_order_given_counts():
    events = data.from_events([2, 1, 2, 1], list("abcd"))
    assert events.times is None
    assert events.history(2) == ["a", "c"]


@pytest.mark.parametrize(
    "times",
    [
        [3, 1, 2],
        [0.3, -0.1, 0.2],
        np.array(["2020-01-03", "2020-01-01", "2020-01-02"], "datetime64[D]"),
        pandas.to_datetime(["2020-01-03", "2020-01-01", "2020-01-02"]),
        ["2020-01-03", "2020-01-01T10:00", "2020-01-01 10:00:01"],
        ["3", "1", "2"],
    ],
)
def test_times_of_every_kind(times):
    events = data.from_events([1, 1, 2], ["late", "early", "other"], times)
    assert events.history(1) == ["early", "late"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([], []), "there is no event"),
        (([1, 1], ["a", "b"]), "all 2 events are of the user '1'"),
        (([1, 2], ["a", "a"]), "all 2 events are of the item 'a'"),
        (([1, 2], ["a"]), "items must be one for each of 2 rows"),
        (([1, 2], ["a", "b"], [1, np.nan]), "times: no time at row 2; 1 of 2 events have none"),
        (([1, 2], ["a", "b"], ["1", ""]), "times: no time at row 2"),
        (([1, 2], ["a", "b"], ["2020-01-01", "soon"]), "row 2: 'soon' in 'times' is no time"),
        (([1, 2], ["a", "b"], [1]), "times must be one for each of 2 events"),
        (([1, 2], ["a", "b"], None, [1, 0]), "found 0.0 at row 2; 1 such events"),
        (([1, 2], ["a", "b"], None, [1, np.nan]), "weights must be finite and more than 0"),
        (([1, 2], ["a", "b"], None, ["x", "y"]), "weights must be numbers"),
    ],
)
def test_bad_events_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        data.from_events(*given)


def test_an_unknown_user_is_named():
    events = data.from_events([1, 2], ["a", "b"])
    with pytest.raises(UnknownWordError, match="no event is of user '3'; there are 2 users: 1, 2"):
        events.history(3)


def write(path, text):
    path.write_text(text)
    return path


def test_a_table_with_other_columns_and_gaps_there(tmp_path):
    path = write(
        tmp_path / "log.csv", "who,note,what,when,stars\n7,,x,20,1\n8,1.5,y,30,2\n7,,y,10,3\n"
    )
    events = read_events(path, ("who", "what", "when", "stars"))
    assert events.history("7") == ["y", "x"]
    assert events.weights.tolist() == [3, 1, 2]
    assert events.times.dtype.kind == "i"
    assert read_events(path, ("who", "what", "", "stars")).times is None
    assert read_events(path, ("1", "3")).history("7") == ["x", "y"]


def test_a_parquet_file_and_an_array(tmp_path):
    times = pandas.to_datetime(["2021-05-02", "2021-05-01", "2021-05-03"])
    frame = pandas.DataFrame({"user": [1, 1, 2], "item": list("aba"), "time": times})
    frame.to_parquet(tmp_path / "log.parquet")
    assert read_events(tmp_path / "log.parquet").history(1) == ["b", "a"]
    np.save(tmp_path / "log.npy", np.array([[1, 5, 9.0], [1, 6, 8.0], [2, 5, 7.0]]))
    assert read_events(tmp_path / "log.npy", ("1", "2", "3")).history(1) == ["6", "5"]


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        (
            "user,item,time\n1,a,3\n2,b,4\n",
            ("user", "film"),
            "no column 'film'; there are user, it",
        ),
        ("user,item,time\n1,a,3\n2,b,\n", ("user", "item", "time"), "'time': no time at row 2"),
        ("user,item,time\n1,a,3\n,b,4\n", ("user", "item", "time"), "row 2: .* names no user"),
        (
            "user,item,time\n1,a,3\n1,b,4\n",
            ("user", "item", "time"),
            "all 2 events are of the user",
        ),
        ("user,item\n1,a\n2,b\n", ("user",), "columns must be those of user, item"),
    ],
)
def test_what_a_file_lacks_is_told(tmp_path, text, columns, message):
    with pytest.raises(InputError, match=message):
        read_events(write(tmp_path / "log.csv", text), columns)


def test_what_was_done_is_told(caplog):
    with caplog.at_level(logging.INFO, "jaxemb"):
        data.from_events([1, 1, 2, 1], ["a", "b", "a", "a"], [5, 4, 6, 7])
    assert "were sorted" in caplog.text
    assert "1 of 4 events repeat a user and an item" in caplog.text
    with caplog.at_level(logging.WARNING, "jaxemb"):
        data.from_events([1, 1, 2], ["a", "b", "a"], [5, 5, 5])
    assert "all 3 events are at the same time" in caplog.text
