import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import items as script
from jaxemb.experiments.harness import command

from jaxemb import io, items

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Users who take one topic's items after another's; titles have blanks."""
    folder = tmp_path_factory.mktemp("events")
    rng = np.random.default_rng(4)
    lines = ["who,when,what"]
    for user in range(90):
        topic = user % 3
        for time, item in enumerate(rng.choice(8, 6, replace=False)):
            lines.append(f"u{user},{time},{topic * 8 + item}")
    (folder / "log.csv").write_text("\n".join([lines[0], *sorted(lines[1:])]))
    rows = [f"{item},The item {item},topic {item // 8}" for item in range(24)]
    (folder / "names.csv").write_text("\n".join(["id,title,kinds", *rows]))
    return folder


@pytest.fixture(scope="module")
def ran(files, private_cache, tmp_path_factory):
    config = dataclasses.replace(
        script.SMOKE,
        events=files / "log.csv",
        columns="who, what, when",
        titles=files / "names.csv",
        options=items.Options(dim=6),
        methods=("item2vec", "two_towers"),
        common=command.Common(out=tmp_path_factory.mktemp("runs") / "run"),
    )
    script.run(config)
    return config


def test_recommendations_are_scored_with_baselines(ran):
    figures = json.loads((ran.common.out / "summary.json").read_text())
    assert figures["scored_users"] == 90
    # Of 24 items the user has 5 and two of the topic are left.
    assert figures["ials_hits"] > 0.9 > figures["popularity_hits"]
    assert figures["ials_gains_low"] < figures["ials_gains"] < figures["ials_gains_high"]
    table = (ran.common.out / "table.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in table[2:]] == [
        "| popularity",
        "| item-kNN",
        "| SVD",
        "| ials",
        "| item2vec",
        "| two_towers",
    ]
    # Kinds are the topics.
    assert figures["two_towers_hits"] > 0.7


def test_two_towers_are_saved_with_what_places_new_items(files, tmp_path, capsys):
    flags = ("--columns", "who,what,when", "--titles", files / "names.csv", "--drawn", 12)
    towers = ("--method", "two_towers", "--dim", 6, "--min-count", 1, "--decays", 1)
    status, out, err = ask(
        capsys, "--events", files / "log.csv", *flags, *towers, "--out", tmp_path / "run"
    )
    assert status == 0, err
    fitted = io.load(tmp_path / "run" / "fit")
    assert fitted.features.words == ["topic 0", "topic 1", "topic 2"]
    assert items.place_by_features(fitted, [("topic 1",)]).shape == (1, 6)


def test_vectors_have_titles(ran):
    written = io.read(ran.common.out)
    fitted = io.load(ran.common.out / "fit")
    assert written.words[0] == fitted.vectors.words[0].replace(" ", "_")
    assert "The item 3" in fitted.vectors
    assert fitted.options.decay in ran.decays
    assert (ran.common.out / "map.png").stat().st_size > 1000
    assert "topic 1" in (ran.common.out / "map.html").read_text()


def ask(capsys, *words):
    status = command.main(script.Config, script.run, list(map(str, words)))
    return status, *capsys.readouterr()


def test_a_user_is_told_after_the_run(ran, files, capsys):
    asked = dataclasses.replace(ran, recommend="u7")
    script.run(asked)
    told = capsys.readouterr().out
    assert "holds this run, finished" in told
    assert "user u7, last: The item" in told
    assert told.count(", as The item") == 10


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--columns", "who,film"), "no column 'film'; there are who, when, what"),
        (("--columns", "who,what,when", "--encoding", "latin-99"), "--encoding must be one"),
        (("--columns", "who"), "--columns must be those of user, item"),
        (("--columns", "who,what,when", "--recommend", "nobody"), "no event is of user 'nobody'"),
        (("--columns", "who,what,when", "--titles", "log"), "has the title of none of 24 items"),
        (
            ("--columns", "who,what,when", "--method", "two_towers"),
            "two_towers needs features of items: give titles",
        ),
        (("--columns", "who,what,when", "--decays", "0"), "--decays must be more than 0"),
        (
            ("--columns", "who,what,when", "--method", "bpr", "--alpha", "2"),
            "--alpha means nothing",
        ),
    ],
)
def test_bad_input_is_one_line(files, tmp_path, capsys, flags, message):
    flags = [files / "log.csv" if flag == "log" else flag for flag in flags]
    status, _, err = ask(capsys, "--events", files / "log.csv", *flags, "--out", tmp_path / "run")
    assert (status, err.count("\n")) == (2, 1), err
    assert message in err
    assert not (tmp_path / "run").exists()


def test_without_times_nothing_is_scored(files, tmp_path, capsys):
    flags = ("--columns", "who,what", "--dim", 4, "--epochs", 2, "--out", tmp_path / "run")
    status, out, _ = ask(capsys, "--events", files / "log.csv", *flags)
    assert status == 0
    assert "nothing is scored: events without times have no last one" in out
    assert "hits" not in (tmp_path / "run" / "summary.json").read_text()


def test_names_without_blanks_stay_different():
    assert script.as_words(["a b", "a_b", "a  b", "c"]) == ["a_b_", "a_b", "a_b__", "c"]


def test_nodes_of_a_graph_are_items(tmp_path, capsys):
    rng = np.random.default_rng(0)
    lines = []
    for group in range(3):
        pairs = rng.integers(10, size=(60, 2)) + 10 * group
        lines += [f"n{a} n{b}" for a, b in pairs]
    (tmp_path / "graph.txt").write_text("\n".join([*lines, "n0 n10", "n10 n20"]))
    flags = ("--dim", 8, "--length", 20, "--walks", 30, "--out", tmp_path / "run")
    status, out, err = ask(capsys, "--edges", tmp_path / "graph.txt", *flags)
    assert status == 0, err
    assert "30 nodes" in out
    vectors = io.read(tmp_path / "run")
    near = [
        (int(node[1:]) // 10, int(other[1:]) // 10)
        for node in vectors
        for other, _ in vectors.nearest(node, 3)
    ]
    assert np.mean([one == other for one, other in near]) > 0.9
    status, _, err = ask(capsys, "--edges", tmp_path / "graph.txt", "--alpha", 2, *flags)
    assert (status, err.count("\n")) == (2, 1)
    assert "--alpha means nothing to item2vec" in err
