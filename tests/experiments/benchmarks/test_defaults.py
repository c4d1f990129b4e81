import pytest
from jaxemb.experiments.benchmarks import defaults
from jaxemb.experiments.benchmarks.defaults import Case, Score

from jaxemb.errors import InputError


def refuse():
    raise InputError("the loss exploded")


def test_each_case_is_a_row_whatever_comes_of_it(capsys):
    cases = [
        Case("digits", {}, lambda: Score("accuracy", 0.9, 0.8, finite=True)),
        Case("digits", {"dim": 3, "learning_rate": 1e-2}, lambda: Score("accuracy", 0, 0.8, False)),
        Case("digits", {"dim": 4}, refuse),
    ]
    found = defaults.sweep("mds", lambda: iter(cases))
    assert found.figures == {
        "mds_digits_defaults": 0.9,
        "mds_digits_dim 3, learning_rate 0.01": 0,
        "mds_digits_dim 4": None,
    }
    assert found.lines[2].startswith("| digits | defaults | accuracy | 0.9 | 0.8 | yes |")
    assert "| NO |" in found.lines[3]
    assert "| REFUSED: the loss exploded |" in found.lines[4]
    assert "REFUSED" in capsys.readouterr().out


def test_every_part_is_there():
    assert set(defaults.PARTS) == set(defaults.Config().parts)


def test_mistakes():
    with pytest.raises(InputError, match="n must be at least 100"):
        defaults.Config(n=9)
    with pytest.raises(InputError, match="epochs must be at least 1"):
        defaults.Config(epochs=0)
