import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import autoencoder
from jaxemb.experiments.harness import command

from jaxemb.io.points import load

pytestmark = pytest.mark.usefixtures("private_cache")


def made(out, *, linear_iterations=0, **options):
    return dataclasses.replace(
        autoencoder.SMOKE,
        options=dataclasses.replace(autoencoder.SMOKE.options, **options),
        common=command.Common(out=out, checkpoint_seconds=0),
        linear_iterations=linear_iterations,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory, private_cache):
    out = tmp_path_factory.mktemp("runs") / "run"
    config = made(out, linear_iterations=autoencoder.SMOKE.linear_iterations)
    autoencoder.run(config)
    return config


def summary_of(config):
    return json.loads((config.common.out / "summary.json").read_text())


def test_a_run_leaves_its_results(finished):
    summary = summary_of(finished)
    assert summary["points"] == 300
    assert summary["iterations"] == 200
    assert summary["stopped_because"] == "done"
    embedding = np.load(finished.common.out / "embedding.npy")
    assert embedding.shape == (300, 2)
    assert embedding.dtype == np.float32
    for name in ("map", "loss", "reconstructions"):
        assert (finished.common.out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    lines = [
        json.loads(line)
        for line in (finished.common.out / "metrics.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in lines] == list(range(25, 201, 25))
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_it_leaves_less_than_pca_and_a_linear_one_leaves_the_same(finished):
    summary = summary_of(finished)
    assert summary["linear_pca_angle_degrees"] < 2
    assert summary["linear_unexplained"] == pytest.approx(summary["unexplained_by_pca"], rel=1e-3)
    assert summary["unexplained"] < summary["unexplained_by_pca"]
    points = load("digits", n=300, data_dir=finished.common.data_dir).values.astype(np.float64)
    squares = np.linalg.svd(points - points.mean(axis=0), compute_uv=False) ** 2
    expected = squares[2:].sum() / squares.sum()
    assert summary["unexplained_by_pca"] == pytest.approx(expected, rel=1e-4)


def test_an_interrupted_run_goes_on_to_the_same_bits(finished, tmp_path):
    config = made(tmp_path / "run")
    # A checkpoint is kept of each of the last three calls.
    half = finished.common.out / "checkpoints" / "00000150"
    autoencoder.projection.prepare(config, dim=2)
    (config.common.out / "checkpoints").mkdir()
    half.rename(config.common.out / "checkpoints" / half.name)
    lines = (finished.common.out / "metrics.jsonl").read_text().splitlines(keepends=True)
    # One call past the checkpoint.
    (config.common.out / "metrics.jsonl").write_text("".join(lines[:7]))
    autoencoder.run(config)
    one, other = (np.load(run.common.out / "embedding.npy") for run in (finished, config))
    np.testing.assert_array_equal(one, other)
    again = (config.common.out / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in again] == list(range(25, 201, 25))


def test_a_denoising_convolutional_one(tmp_path):
    config = made(tmp_path / "run", model="conv", features=(8,), dim=16, noise=1.0, iterations=100)
    autoencoder.run(config)
    summary = summary_of(config)
    assert summary["unexplained_by_noisy"] == pytest.approx(1, rel=0.05)
    assert summary["unexplained"] < 0.8
    assert np.load(config.common.out / "embedding.npy").shape == (300, 16)


def test_bad_flags_are_named(tmp_path, capsys):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(9, 3)))
    for flags, message in (
        (["--hidden", "0"], "--hidden must be widths of at least 1, found 0"),
        (["--noise-kind", "masking", "--noise", "1.5"], "--noise must be at least 0 and at most 1"),
        (["--learning-rate", "0"], "--learning-rate must be more than 0 and at most 10"),
        (
            ["--model", "conv", "--data", str(tmp_path / "points.npy")],
            "--model conv is for images, and",
        ),
    ):
        arguments = [*flags, "--out", str(tmp_path / "run")]
        assert command.main(autoencoder.Config, autoencoder.run, arguments) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "run").exists()
