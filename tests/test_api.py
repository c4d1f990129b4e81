"""Every method keeps one contract: Options, fit, start, Fitted."""

import dataclasses
import functools
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb import checks, data, io
from jaxemb.errors import InputError
from jaxemb.fields import field_docs
from jaxemb.io import WordVectors
from jaxemb.models.encoders import MlpEncoder
from jaxemb.training.state import History, Training

ROOT = Path(__file__).parents[1]
METHODS = sorted(
    path.stem
    for path in (ROOT / "jaxemb" / "methods").iterdir()
    if not path.stem.startswith(("_", "."))
)
RNG = np.random.default_rng(3)
POINTS = RNG.normal(size=(48, 6)).astype(np.float32)
LABELS = np.arange(48) % 4
NEW = RNG.normal(size=(5, 6)).astype(np.float32)


@functools.cache
def text() -> data.Text:
    """Words of a topic share their contexts."""
    words = np.array([[f"t{t}w{i}" for i in range(4)] for t in range(4)])
    topics = RNG.integers(4, size=(300, 1))
    return data.from_tokens(words[topics, RNG.integers(4, size=(300, 8))].tolist(), min_count=1)


class Case(NamedTuple):
    """A small training of a method."""

    given: Callable[[], tuple]  # what `fit` takes between key and options
    options: dict[str, Any]
    kind: str  # words, maps or networks
    use: Callable[[Any, Any], Any] | None = None  # (module, fitted) -> what it is good for
    host: bool = False  # the host picks each step's program, so that a step is no function to jit


def matching_data() -> tuple:
    from jaxemb.methods import matching

    return MlpEncoder(4), matching.losses.triplet(margin=0.2), POINTS, LABELS


def two_languages() -> tuple:
    other = (POINTS @ np.linalg.qr(RNG.normal(size=(6, 6)))[0]).astype(np.float32)
    sides = (
        WordVectors([f"{name}{i}" for i in range(48)], x)
        for name, x in zip("ab", (POINTS, other), strict=True)
    )
    return (*sides, [(f"a{i}", f"b{i}") for i in range(40)])


def who_met_what() -> tuple:
    users, met = (np.repeat(np.arange(40), 6), RNG.integers(20, size=240))
    return (data.from_events(users, met, RNG.random(240)),)


def two_towers() -> tuple:
    from jaxemb.methods import matching

    loss = matching.losses.info_nce(temperature=0.1)
    return (MlpEncoder(4, (8,)), MlpEncoder(4, ())), loss, (POINTS, POINTS[:, :3])


PARAPHRASES = [(f"t{i % 4}w{i % 3} t{i % 4}w0", f"t{i % 4}w{(i + 1) % 3}") for i in range(24)]
TEXT = lambda: (text(),)  # noqa: E731
ENCODED = lambda module, fitted: module.encode(fitted.model, NEW)  # noqa: E731
PLACED = lambda module, fitted: module.transform(fitted, NEW)  # noqa: E731
CASES = {
    "alignment": Case(
        two_languages,
        {},
        "none",
        lambda module, fitted: [best[0][1] for best in module.translate(fitted, ["a45", "a46"])],
    ),
    "autoencoder": Case(
        lambda: (POINTS,), {"hidden": (8,), "iterations": 12, "batch": 16}, "networks", ENCODED
    ),
    "bilingual": Case(
        lambda: (PARAPHRASES * 4,),
        {"dim": 4, "linked": 2, "epochs": 10, "min_count": 1},
        "none",
        lambda module, fitted: [best[0][1] for best in module.translate(fitted, ["t0w0", "t1w2"])],
    ),
    "classifier": Case(
        lambda: (MlpEncoder(4), POINTS, LABELS),
        {"iterations": 12, "batch": 16},
        "networks",
        lambda module, fitted: module.predict(fitted.model, NEW),
    ),
    "contrastive_images": Case(
        lambda: (RNG.integers(256, size=(24, 12, 12, 3)).astype(np.uint8),),
        {"patterns": 16, "patch_dim": 4, "cells": 2, "dim": 4},
        "none",
        lambda module, fitted: module.encode(fitted.model, np.zeros((2, 12, 12, 3), np.uint8)),
    ),
    "glove": Case(TEXT, {"dim": 4, "epochs": 10}, "words"),
    "image_words": Case(
        lambda: (
            RNG.integers(256, size=(12, 16, 16, 3)).astype(np.uint8),
            [[f"w{i % 3}", f"w{i % 2}"] for i in range(12)],
        ),
        {"dim": 4},
        "none",
        lambda module, fitted: module.encode_words(fitted.model, ["w0", "w1 w2"]),
    ),
    "items": Case(
        who_met_what,
        {"dim": 4},
        "none",
        lambda module, fitted: module.encode(fitted, [["1", "2"], ["3"]]),
    ),
    "lsa": Case(TEXT, {"dim": 4}, "words"),
    "matching": Case(
        matching_data, {"iterations": 12, "identities": 4, "samples": 2}, "networks", ENCODED
    ),
    "mds": Case(lambda: (POINTS,), {"iterations": 12}, "maps"),
    "one_hot": Case(TEXT, {}, "none", lambda module, fitted: module.encode(fitted, ["t0w0"])),
    "paragraph_vectors": Case(
        TEXT,
        {"dim": 4, "epochs": 10},
        "words",
        lambda module, fitted: module.encode(fitted, ["t0w0 t0w1 t0w2"]),
    ),
    "parametric_tsne": Case(
        lambda: (POINTS,),
        {"hidden": (8,), "perplexity": 5.0, "iterations": 12, "batch": 16},
        "networks",
        ENCODED,
    ),
    "pca": Case(lambda: (POINTS,), {}, "maps", PLACED),
    "sammon": Case(lambda: (POINTS,), {"iterations": 12}, "maps"),
    "sentences": Case(
        lambda: (PARAPHRASES,),
        {"iterations": 12, "batch": 4, "dim": 4, "min_count": 1},
        "networks",
        lambda module, fitted: module.encode(fitted.model, ["t1w0 t2w1"]),
    ),
    "sif": Case(
        lambda: (
            [first for first, _ in PARAPHRASES],
            WordVectors(text().vocabulary.words, POINTS[:16]),
        ),
        {},
        "none",
        lambda module, fitted: module.encode(fitted.model, ["t1w0 t2w1"]),
    ),
    "subwords": Case(TEXT, {"dim": 4, "epochs": 10, "buckets": 50}, "words"),
    "tsne": Case(
        lambda: (POINTS,),
        {"perplexity": 5.0, "iterations": 40, "early_iterations": 20},
        "maps",
        PLACED,
        host=True,
    ),
    "two_views": Case(
        two_towers,
        {"iterations": 12, "batch": 16},
        "networks",
        lambda module, fitted: module.encode(fitted.model, NEW, side="first"),
    ),
    "window_validity": Case(
        TEXT,
        {"dim": 4, "epochs": 4},
        "words",
        lambda module, fitted: module.predict(fitted, [["t0w0", "t0w1", "t0w2", "t0w1", "t0w3"]]),
    ),
    "word2vec": Case(TEXT, {"dim": 4, "epochs": 10}, "words"),
}
CLOSED = ("alignment", "contrastive_images", "image_words", "lsa", "one_hot", "pca", "sif")
ITERATIVE = [name for name in CASES if name not in CLOSED]

of_every_method = pytest.mark.parametrize("name", METHODS)
of_iterative_methods = pytest.mark.parametrize("name", ITERATIVE)


def method(name: str) -> Any:
    return importlib.import_module(f"jaxemb.methods.{name}")


def options(name: str) -> Any:
    return method(name).Options(**CASES[name].options)


def takes_key(name: str) -> bool:
    return next(iter(inspect.signature(method(name).fit).parameters)) == "key"


@functools.cache
def fitted(name: str) -> Any:
    module, given = method(name), CASES[name].given()
    key = (0,) if takes_key(name) else ()
    return module.fit(*key, *given, options(name))


@functools.cache
def started(name: str) -> Training:
    return method(name).start(0, *CASES[name].given(), options(name))


def test_every_method_has_a_case():
    assert sorted(CASES) == METHODS


@of_every_method
def test_options_are_frozen_and_documented(name):
    kind = method(name).Options
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert kind() == kind()
    told = " ".join(kind.__doc__.split())
    for field in dataclasses.fields(kind):
        assert f" {field.name}: {field_docs(kind)[field.name]}" in told


@of_every_method
def test_options_refuse_other_types(name):
    kind = method(name).Options
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if checks._alternatives(hints[field.name]) is None:
            continue
        with pytest.raises(InputError, match=f"^{field.name} must be "):
            kind(**{field.name: b"no"})


@of_every_method
def test_arguments_of_fit(name):
    found = inspect.signature(method(name).fit).parameters
    kinds = {one.name: one.kind for one in found.values()}
    places = [one for one, kind in kinds.items() if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    given = len(CASES[name].given())
    assert places[-1] == "options"
    assert found["options"].default is None
    if takes_key(name):
        assert len(places) == given + 2
    else:
        assert len(places) == given + 1
        assert kinds["key"] is inspect.Parameter.KEYWORD_ONLY
    if name in ITERATIVE:
        assert found["run"].default is None
        start = inspect.signature(method(name).start).parameters
        assert [*start] == [one for one in found if one != "run"]
    assert not any(kind is inspect.Parameter.VAR_KEYWORD for kind in kinds.values())


@of_every_method
@pytest.mark.parametrize("key", ["0", 1.5, True, -1, 1 << 32, np.zeros(3, np.uint32)])
def test_what_is_no_key(name, key):
    keyed = (key,) if takes_key(name) else ()
    named = {} if keyed else {"key": key}
    with pytest.raises(InputError, match="key|seed"):
        method(name).fit(*keyed, *CASES[name].given(), options(name), **named)


@of_every_method
@pytest.mark.parametrize("other", [{"dim": 3}, 0, "defaults"])
def test_what_are_no_options(name, other):
    keyed = (0,) if takes_key(name) else ()
    with pytest.raises(InputError, match=rf"options must be {name}.Options\(...\), found "):
        method(name).fit(*keyed, *CASES[name].given(), other)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.given == TEXT])
def test_what_is_no_text(name):
    keyed = (0,) if takes_key(name) else ()
    with pytest.raises(InputError, match="data must be a jaxemb.data.Text, found list; from_tok"):
        method(name).fit(*keyed, [["a", "b"]])


@of_iterative_methods
def test_a_whole_number_is_a_key(name):
    given = CASES[name].given()
    typed = method(name).start(jax.random.key(0), *given, options(name)).state.key
    np.testing.assert_array_equal(*map(jax.random.key_data, (started(name).state.key, typed)))


@of_iterative_methods
def test_ten_steps_of_one_trace_stay_finite(name):
    training = started(name)
    assert type(training) is Training
    assert training.steps >= 10
    chex.clear_trace_counter()  # it knows functions by an id, which another may have had
    update = training.update
    if not CASES[name].host:
        update = jax.jit(chex.assert_max_traces(lambda *given: training.update(*given), n=1))
    state = training.state
    assert int(state.step) == 0
    for step in range(10):
        state, metrics = update(state, training.batch(step))
        assert jnp.isfinite(metrics["loss"]).all()
    assert int(state.step) == 10
    chex.assert_tree_all_finite(state.params)


@of_every_method
def test_what_fit_returns(name):
    found = fitted(name)
    assert type(found) is method(name).Fitted
    assert isinstance(found.history, History)
    assert found.options == options(name)
    if name in ITERATIVE:
        assert found.history.stopped_because == "done"
        assert found.history.steps >= 10
        assert len(found.history.loss) == found.history.steps
        assert np.isfinite(found.history.loss).all()
    match CASES[name].kind:
        case "words":
            assert isinstance(found.vectors, WordVectors)
            assert found.vectors.words == text().vocabulary.words
            assert found.vectors.vectors.shape == (16, 4)
            assert np.isfinite(found.vectors.vectors).all()
            assert found.params
        case "maps":
            assert found.embedding.shape == (48, 2)
            assert np.isfinite(found.embedding).all()
        case "networks":
            assert found.model


@of_every_method
def test_methods_work_where_jax_counts_in_float64(name):
    with jax.enable_x64(True):
        key = (0,) if takes_key(name) else ()
        found = method(name).fit(*key, *CASES[name].given(), options(name))
    if CASES[name].kind == "words":
        assert found.vectors.vectors.dtype == np.float32
    if CASES[name].kind == "maps":
        assert found.embedding.dtype == np.float32


@of_every_method
def test_a_fit_is_saved_and_loaded(name, tmp_path):
    found = fitted(name)
    io.save(tmp_path / "one", found)
    loaded = io.load(tmp_path / "one")
    assert type(loaded) is type(found)
    io.save(tmp_path / "two", loaded)
    files = [sorted((tmp_path / folder).iterdir()) for folder in ("one", "two")]
    for one, other in zip(*files, strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes()
    if (use := CASES[name].use) is not None:
        np.testing.assert_array_equal(use(method(name), found), use(method(name), loaded))
