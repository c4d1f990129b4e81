import csv

from jaxemb.experiments.harness.tables import markdown, write_csv


def test_markdown():
    assert markdown(["system", "score"], [["a", "0.5"], ["b", "–"]], figures=True) == [
        "| system | score |",
        "| --- | ---: |",
        "| a | 0.5 |",
        "| b | – |",
    ]
    assert markdown(["x", "y"], [])[1] == "| --- | --- |"


def test_csv(tmp_path):
    path = tmp_path / "table.csv"
    write_csv(path, ["word", "count"], [("a, b", 3), ('"', 1.5)])
    with path.open(newline="") as file:
        assert list(csv.reader(file)) == [["word", "count"], ["a, b", "3"], ['"', "1.5"]]
    assert list(tmp_path.iterdir()) == [path]
