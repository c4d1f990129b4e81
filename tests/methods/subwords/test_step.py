"""Subwords: a step is the gradient of the per-example loss, each row's damped by its count."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from gensim.models.fasttext_inner import compute_ngrams_bytes, ft_hash_bytes

from jaxemb.errors import InputError
from jaxemb.methods.subwords import step as subwords
from jaxemb.methods.word2vec.settings import Settings
from jaxemb.models import subword_parts
from jaxemb.models import word2vec as model
from jaxemb.models.subword_table import word_vectors
from jaxemb.sampling.noise import noise_distribution
from jaxemb.sampling.text import TextBatch
from jaxemb.training import checkpoint, loop
from jaxemb.training.state import TrainState

D, G, S, B, W, K, NEGATIVES, RATE = 6, 16, 4, 2, 2, 3, 5.0, 0.05
# Words of one to eight characters, and one whose n-grams fill several blocks.
WORDS = [
    "".join(np.random.default_rng(i).choice(list("abcé"), 1 + i % 8)) + str(i) for i in range(60)
]
WORDS[7] = "ab" * 40
LENGTHS = {"shortest": 2, "longest": 4, "buckets": 503}
COUNTS = np.arange(120, 60, -1) ** 2
V = len(WORDS)
MODELS = ("skipgram", "cbow")
NOISE = noise_distribution(COUNTS, power=0.75)
# In parts a step takes ten times as long to compile.
SETTINGS = {
    name: Settings(name, W, NEGATIVES, groups=G, size=S, block=B, noise=K, parts=1)
    for name in MODELS
}


@pytest.fixture(autouse=True, scope="module")
def _small_blocks():
    """So that there are more of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subwords, "BLOCK", 32)
        yield


@pytest.fixture(scope="module")
def parts():
    return subword_parts.cut(WORDS, **LENGTHS)


@pytest.fixture(scope="module")
def makers(parts):
    """For each model: its step, and the functions that draw and take one."""
    made = {}
    for name in MODELS:
        whole = subwords.update(SETTINGS[name], parts, NOISE, optax.constant_schedule(RATE))
        made[name] = SETTINGS[name], jax.jit(whole.draw), jax.jit(whole.take)
    return made


def start(parts, *, seed=None):
    params = model.init(jax.random.key(0), vocabulary=parts.rows, dim=D)
    params["output"] = params["output"][:V]
    if seed is not None:
        rng = np.random.default_rng(seed)
        params = {
            name: jnp.asarray(rng.normal(size=t.shape), t.dtype) for name, t in params.items()
        }
    return TrainState(jnp.zeros((), jnp.int32), jax.random.key(1), params, {})


def text(seed=0):
    rng = np.random.default_rng(seed)
    shape = (G, S + 2 * W)
    documents = np.sort(rng.integers(0, 3, shape), axis=-1)
    words = rng.zipf(1.3, shape) % V
    words[3, 3:5] = 7
    documents[-1, -3:], words[-1, -3:] = -1, V  # the last group ends with the text
    return TextBatch(words.astype(np.int32), documents.astype(np.int32))


def buckets_of(word):
    pieces = compute_ngrams_bytes(word, LENGTHS["shortest"], LENGTHS["longest"])
    return [ft_hash_bytes(piece) % LENGTHS["buckets"] for piece in pieces]


def rows_of(parts):
    """The rows of each word, from its n-grams one by one."""
    row = {bucket: V + i for i, bucket in enumerate(parts.buckets.tolist())}
    return [[i, *(row[bucket] for bucket in buckets_of(word))] for i, word in enumerate(WORDS)]


def test_words_are_cut_whole(parts):
    rows = rows_of(parts)
    assert parts.rows == V + len({bucket for word in WORDS for bucket in buckets_of(word)})
    assert parts.sizes.tolist() == [*map(len, rows), 1]
    for word, expected in enumerate(rows):
        chunks = parts.chunks[parts.first[word] : parts.first[word + 1]]
        assert len(chunks) == -(-len(expected) // subword_parts.CHUNK)
        found = chunks[chunks < parts.rows].tolist()
        assert sorted(found) == sorted(expected)
    assert parts.first[V] == parts.first[V + 1] == len(parts.chunks)
    assert max(map(len, rows)) > 200
    uses = np.bincount([bucket for word in WORDS for bucket in buckets_of(word)], minlength=503)
    assert (np.diff(uses[parts.buckets]) <= 0).all()


def test_rows_go_where_their_buckets_are(parts):
    rows = np.random.default_rng(2).normal(size=(parts.rows, D)).astype(np.float32)
    table = subword_parts.subword_table(WORDS, parts, rows, **LENGTHS)
    assert table.rows.shape == (V + LENGTHS["buckets"], D)
    expected = [rows[some].mean(axis=0) for some in rows_of(parts)]
    np.testing.assert_allclose(word_vectors(table, WORDS), expected, rtol=1e-4, atol=1e-6)
    unused = np.setdiff1d(np.arange(LENGTHS["buckets"]), parts.buckets)
    assert len(unused)
    assert not table.rows[V + unused].any()


def pairs(name, batch, example):
    """All (group, place in it, words that predict, word that is predicted), by the windows."""
    for g in range(G):
        for s in range(S):
            reach = range(-int(example.left[g, s]), int(example.right[g, s]) + 1)
            near = [int(batch.words[g, s + W + offset]) for offset in reach if offset]
            center = int(batch.words[g, s + W])
            if name == "skipgram":
                yield from ((g, s, [center], context) for context in near)
            elif near:
                yield g, s, near, center


def damped(counts):
    """The factor on each row: by the root of its count, but no more than twice the mean."""
    counts = np.maximum(counts, 1)
    return np.minimum(1 / np.sqrt(counts), 2 / counts)[:, None]


@pytest.mark.parametrize("name", MODELS)
def test_a_step_descends_the_per_example_losses(makers, parts, name):
    _, draw, take = makers[name]
    state, batch = start(parts, seed=3), text()
    example = draw(jax.random.key(5), batch)
    after, metrics = take(state, example)
    rows, found = rows_of(parts), list(pairs(name, batch, example))
    noise = np.asarray(example.noise)
    with jax.enable_x64(True):
        table, outputs = (np.asarray(state.params[n], np.float64) for n in ("input", "output"))
        composed = np.array([table[some].mean(axis=0) for some in rows])

        weights = np.zeros((len(found), V))
        for i, (_, _, words, _) in enumerate(found):
            np.add.at(weights[i], words, 1 / len(words))
        predicted = np.array([word for *_, word in found])
        wrong = noise[[g for g, *_ in found]]

        @jax.jit
        def losses(composed, outputs):
            hidden = weights @ composed
            observed = jnp.einsum("bd,bd->b", hidden, outputs[predicted])
            noisy = jnp.einsum("bd,bkd->bk", hidden, outputs[wrong])
            some = NEGATIVES / K * jax.nn.softplus(noisy).sum(axis=1)
            return jax.nn.softplus(-observed) + some

        terms, back = jax.vjp(losses, jnp.asarray(composed), jnp.asarray(outputs))
        to_words, to_outputs = map(np.asarray, back(jnp.ones(len(found))))
        terms = np.asarray(terms)
    # The sum of the gradients of the words with a row, damped by how often it is in the batch.
    expected, counts = np.zeros_like(table), np.zeros(len(table))
    predicting, predicted = batch.words[:, W : W + S], batch.words
    if name == "cbow":
        predicting, predicted = predicted, predicting
    for word in predicting.ravel():
        if word < V:
            np.add.at(counts, rows[word], 1)
    for word, some in enumerate(rows):
        np.add.at(expected, some, to_words[word])
    expected *= -RATE * damped(counts)
    change = np.asarray(after.params["input"], np.float64) - table
    np.testing.assert_allclose(change, expected, rtol=1e-4, atol=3e-6)
    assert abs(expected[V:]).max() > 0.01

    counts = np.bincount(np.concatenate([predicted.ravel(), noise.ravel()]), minlength=V)[:V]
    expected = -RATE * to_outputs * damped(counts)
    change = np.asarray(after.params["output"], np.float64) - outputs
    np.testing.assert_allclose(change, expected, rtol=1e-4, atol=3e-6)
    measured = terms[[s == 0 for _, s, _, _ in found]]
    assert float(metrics["loss"]) == pytest.approx(measured.mean(), rel=1e-5)
    assert float(metrics["learning_rate"]) == pytest.approx(RATE)


@pytest.mark.parametrize("name", MODELS)
def test_words_beyond_the_text_touch_nothing(makers, parts, name):
    _, draw, take = makers[name]
    state, shape = start(parts, seed=3), (G, S + 2 * W)
    batch = TextBatch(np.full(shape, V, np.int32), np.full(shape, -1, np.int32))
    after, metrics = take(state, draw(jax.random.key(5), batch))
    for table, before in state.params.items():
        np.testing.assert_array_equal(after.params[table], before)
    assert float(metrics["loss"]) == 0


def test_training_starts_at_the_loss_of_guessing_and_descends(makers, parts):
    _, draw, take = makers["skipgram"]
    state, example = start(parts), draw(jax.random.key(5), text())
    losses = []
    for _ in range(100):
        state, metrics = take(state, example)
        losses.append(float(metrics["loss"]))
    assert losses[0] == pytest.approx((1 + NEGATIVES) * np.log(2), rel=1e-4)
    assert losses[-1] < 0.7 * losses[0]
    assert take._cache_size() == 1


@pytest.fixture(scope="module")
def program(parts):
    batches = jax.tree.map(lambda *leaves: np.stack(leaves), *map(text, range(4)))
    schedule = optax.linear_schedule(RATE, RATE / 100, 4)
    whole = subwords.update(SETTINGS["skipgram"], parts, NOISE, schedule)
    return loop.compile_steps(whole, start(parts), batches), batches


def test_no_table_is_copied_inside_the_loop(program, parts):
    lines = program[0].take.as_text().splitlines()
    for rows in (parts.rows, V):
        table = f"f32[{rows},{D}]"
        assert any(table in line for line in lines)  # or the test would look for the wrong thing
        assert [line for line in lines if " copy(" in line and table in line] == []


def test_restored_parameters_carry_on_to_the_same_bits(program, parts, tmp_path):
    call, batches = program
    whole, _ = call(start(parts), batches, 4)
    half, _ = call(start(parts), batches, 2)
    checkpoint.save(tmp_path / "checkpoints", 2, half)
    held = checkpoint.restore(tmp_path / "checkpoints", start(parts))
    rest = jax.tree.map(lambda leaf: np.roll(leaf, -2, axis=0), batches)
    carried, _ = call(held.state, rest, 2)
    for table, expected in whole.params.items():
        np.testing.assert_array_equal(carried.params[table], expected)


@pytest.mark.parametrize(
    "changes", [{"shortest": 5}, {"shortest": 0}, {"longest": 0}, {"buckets": 0}]
)
def test_lengths_without_n_grams_are_refused(changes):
    with pytest.raises(InputError, match="n-grams need 1 <= shortest <= longest and a bucket"):
        subword_parts.cut(WORDS, **(LENGTHS | changes))
