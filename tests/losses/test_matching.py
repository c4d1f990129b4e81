"""What holds for every matching loss. Run as a program it is the child that has eight devices."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxemb.losses.angular_margin import arcface_loss, cosface_loss
from jaxemb.losses.contrastive import all_pairs_contrastive_loss, contrastive_loss
from jaxemb.losses.distances import (
    cosine,
    euclidean,
    l1,
    pairwise_cosine,
    pairwise_euclidean,
    pairwise_squared_euclidean,
    squared_euclidean,
)
from jaxemb.losses.info_nce import info_nce_loss, nt_xent_loss
from jaxemb.losses.n_pair import n_pair_loss
from jaxemb.losses.prototypical import prototypical_loss
from jaxemb.losses.proxy import proxy_nca_loss
from jaxemb.losses.ranking import ranking_loss
from jaxemb.losses.sigmoid_pairs import sigmoid_pairs_loss
from jaxemb.losses.softmax_classifier import softmax_classifier_loss
from jaxemb.losses.supervised_contrastive import supervised_contrastive_loss
from jaxemb.losses.terms import mean_of_terms
from jaxemb.losses.triplet import all_triplets_loss, triplet_loss
from jaxemb.sampling.triplets import (
    all_triplets,
    hardest_triplets,
    semi_hard_triplets,
)

B, D, CLASSES = 16, 10, 4
POSITIVES = 15  # of an anchor, more than there are
ROWS = {
    "squared_euclidean": squared_euclidean,
    "euclidean": euclidean,
    "cosine": cosine,
    "l1": l1,
}


def of_triplets(triplets, x, **options):
    rows = (x[ids] for ids in triplets[:3])
    return triplet_loss(*rows, where=triplets.valid, **options)


def hardest(x, y, fixed, labels, where):
    triplets = hardest_triplets(pairwise_squared_euclidean(x, x), labels, where=where)
    return of_triplets(triplets, x, margin=0.3)


def semi_hard(x, y, fixed, labels, where):
    triplets = semi_hard_triplets(
        pairwise_squared_euclidean(x, x), labels, margin=9.0, positives=POSITIVES, where=where
    )
    return of_triplets(triplets, x, margin=9.0)


def all_valid(distance, margin):
    def loss(x, y, fixed, labels, where):
        triplets = all_triplets(labels, positives=POSITIVES, where=where)
        return all_triplets_loss(distance(x, x), *triplets, margin=margin)

    return loss


def prototypical(x, y, fixed, labels, where):
    return prototypical_loss(
        x, labels, y, labels, classes=CLASSES, support_where=where, query_where=where
    )


# Each takes two sets of vectors [B, D], class vectors [CLASSES, D], labels [B] and a mask [B].
ACROSS = {
    "all triplets": all_valid(pairwise_squared_euclidean, 0.3),
    "all triplets, soft margin": all_valid(pairwise_cosine, None),
    "hardest triplets": hardest,
    "semi-hard triplets": semi_hard,
    "all pairs": lambda x, y, fixed, labels, where: all_pairs_contrastive_loss(
        pairwise_euclidean(x, x), labels, margin=4.0, where=where
    ),
    "n pair": lambda x, y, fixed, labels, where: n_pair_loss(x, y, labels=labels, where=where),
    "info nce": lambda x, y, fixed, labels, where: info_nce_loss(
        x, y, temperature=0.1, labels=labels, where=where
    ),
    "nt xent": lambda x, y, fixed, labels, where: nt_xent_loss(
        x, y, temperature=0.1, labels=labels, where=where
    ),
    "ranking": lambda x, y, fixed, labels, where: ranking_loss(
        x, y, margin=0.3, labels=labels, where=where
    ),
    "sigmoid": lambda x, y, fixed, labels, where: sigmoid_pairs_loss(
        x, y, scale=5.0, bias=-2.0, labels=labels, where=where
    ),
    "supervised contrastive": lambda x, y, fixed, labels, where: supervised_contrastive_loss(
        x, labels, temperature=0.1, where=where
    ),
    "prototypical": prototypical,
}
# These compare an example with nothing else of the batch.
ALONE = {
    f"triplet, {name}": lambda x, y, fixed, labels, where, distance=distance: triplet_loss(
        x, y, fixed[labels], margin=0.3, distance=distance, where=where
    )
    for name, distance in ROWS.items()
} | {
    "triplet, soft margin": lambda x, y, fixed, labels, where: triplet_loss(
        x, y, fixed[labels], margin=None, where=where
    ),
    "contrastive": lambda x, y, fixed, labels, where: contrastive_loss(
        x, y, labels < 2, margin=4.0, where=where
    ),
    "proxy": lambda x, y, fixed, labels, where: proxy_nca_loss(x, labels, fixed, where=where),
    "arcface": lambda x, y, fixed, labels, where: arcface_loss(x, labels, fixed, where=where),
    "cosface": lambda x, y, fixed, labels, where: cosface_loss(x, labels, fixed, where=where),
    "softmax": lambda x, y, fixed, labels, where: softmax_classifier_loss(
        x @ fixed.T, labels, where=where
    ),
}


def batch(size, seed=0):
    """Unequal classes, 0 to CLASSES - 1, in no order, and two views that resemble each other."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(size) * np.arange(size) % 7 % CLASSES)
    fixed = rng.normal(size=(CLASSES, D))
    x = fixed[labels] / 2 + rng.normal(size=(size, D))
    y = fixed[labels] / 2 + rng.normal(size=(size, D))
    floats = (jnp.asarray(values, jnp.float32) for values in (x, y, fixed))
    return (*floats, jnp.asarray(labels, jnp.int32))


LOSSES = ACROSS | ALONE


def gradients(loss):
    """A function that gives the terms and the gradients of their sum, and is traced once."""
    traces = []

    def total(x, y, fixed, labels, where):
        terms = loss(x, y, fixed, labels, where)
        return terms.loss.sum(), terms

    @jax.jit
    def both(*arguments):
        traces.append(loss)
        assert len(traces) == 1
        (_, terms), found = jax.value_and_grad(total, argnums=(0, 1, 2), has_aux=True)(*arguments)
        return terms, found

    return both


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss(name):
    loss = LOSSES[name]
    both = gradients(loss)
    x, y, fixed, labels = batch(B)
    everything, keep = jnp.ones(B, bool), jnp.asarray(np.arange(B) % 5 != 3)

    # Terms of all examples, of the batch's type.
    whole, _ = both(x, y, fixed, labels, everything)
    assert whole.loss.shape == whole.counts.shape
    assert len(whole.loss) % B == 0
    assert (whole.loss.dtype, whole.counts.dtype) == (jnp.float32, jnp.int32)
    assert whole.counts.sum() >= B / 2
    assert np.isfinite(mean_of_terms(whole))

    # A masked example is as if it were not there, whatever it holds, and stays where it is.
    masked, found = both(x, y, fixed, labels, keep)
    kept = np.flatnonzero(keep)
    dropped = jax.jit(loss)(x[kept], y[kept], fixed, labels[kept], None)

    def rest(values):
        return np.asarray(values).reshape(B, -1)[kept].ravel()

    np.testing.assert_allclose(rest(masked.loss), dropped.loss, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(rest(masked.counts), dropped.counts)
    others = [jnp.where(keep[:, None], vectors, vectors[::-1] - 3) for vectors in (x, y)]
    again = both(*others, fixed, jnp.where(keep, labels, 2), keep)
    for a, b in zip(jax.tree.leaves((masked, found)), jax.tree.leaves(again), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    for values in (masked.loss, masked.counts, *found[:2]):
        assert not np.asarray(values).reshape(B, -1)[~np.asarray(keep)].any()

    # Nothing to compare: 0, and 0 again.
    nothing, found = both(x, y, fixed, labels, jnp.zeros(B, bool))
    assert mean_of_terms(nothing) == 0
    for values in jax.tree.leaves((nothing, found)):
        assert not np.asarray(values).any()

    # Equal, zero and huge vectors.
    # Inner products of the last size are no float32 numbers.
    for size in (0.0, 1.0, 1e17) if name in ("n pair", "softmax") else (0.0, 1.0, 1e17, 1e25):
        equal = (jnp.full_like(x, size), jnp.full_like(y, size), jnp.full_like(fixed, size))
        apart = (x * size, y * size, fixed * size)
        for vectors in (equal, apart):
            terms, found = both(*vectors, labels, everything)
            if size < 1e20:
                assert np.isfinite(terms.loss).all()
            assert not np.isnan(terms.loss).any()
            for gradient in found:
                assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ALONE)
def test_one_example_alone_has_its_loss_in_the_batch(name):
    x, y, fixed, labels = batch(B)

    def one(x, y, label):
        return ALONE[name](x[None], y[None], fixed, label[None], None)

    whole, alone = jax.jit(
        lambda *batch_: (ALONE[name](*batch_, None), jax.vmap(one)(x, y, labels))
    )(x, y, fixed, labels)
    np.testing.assert_allclose(alone.loss[:, 0], whole.loss, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(alone.counts[:, 0], whole.counts)


@pytest.mark.parametrize("name", ["all triplets", "hardest triplets", "semi-hard triplets"])
@pytest.mark.parametrize("labels", [np.arange(B), np.zeros(B, int)])
def test_no_positive_or_no_negative_is_no_triplet(name, labels):
    x, y, fixed, _ = batch(B)
    terms = jax.jit(ACROSS[name])(x, y, fixed, jnp.asarray(labels), None)
    assert not np.asarray(terms.counts).any()
    assert not np.asarray(terms.loss).any()


def test_no_positive_has_no_supervised_contrastive_term():
    x, y, fixed, _ = batch(B)
    both = gradients(ACROSS["supervised contrastive"])
    labels = jnp.arange(B).at[3].set(1)
    terms, found = both(x, y, fixed, labels, jnp.ones(B, bool))
    np.testing.assert_array_equal(np.flatnonzero(terms.counts), [1, 3])
    np.testing.assert_array_equal(np.flatnonzero(terms.loss), [1, 3])
    assert np.isfinite(found[0]).all()


@pytest.mark.parametrize("name", ["proxy", "arcface", "cosface", "softmax", "prototypical"])
def test_a_label_out_of_range_has_no_term(name):
    x, y, fixed, labels = batch(B)
    wrong = labels.at[2].set(CLASSES).at[5].set(-1)
    terms, found = gradients(LOSSES[name])(x, y, fixed, wrong, jnp.ones(B, bool))
    assert terms.counts.sum() == B - 2
    assert not np.asarray(terms.loss)[[2, 5]].any()
    for gradient in found:
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", LOSSES)
def test_shapes_are_checked(name):
    x, y, fixed, labels = batch(B)
    with pytest.raises((AssertionError, TypeError)):
        jax.eval_shape(lambda: LOSSES[name](x, y[:-1], fixed[:, :-1], labels[:-2], None))


def test_eight_devices_give_the_loss_and_gradient_of_one():
    command = [sys.executable, __file__]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.split() == [str(len(ACROSS)), "losses", "agree"]


def compare_one_device_with_eight():
    devices = jax.devices()
    assert len(devices) == 8
    size = 8 * 4  # four positives and more negatives an anchor, on all devices
    x, y, fixed, labels = batch(size)
    batch_ = (x, y, fixed, labels, jnp.arange(size) % 7 != 2)
    mesh = Mesh(np.array(devices), ("data",))
    rows, whole = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in (["data"], []))
    placed = jax.device_put(batch_, (rows, rows, whole, rows, rows))
    assert len(placed[0].addressable_shards) == 8
    assert placed[0].addressable_shards[0].data.shape == (4, D)

    # One program for all: compiling is what takes time.
    @jax.jit
    def everything(*arguments):
        return {name: gradients(loss)(*arguments) for name, loss in ACROSS.items()}

    divided = everything.lower(*placed).compile()
    assert "all-gather" in divided.as_text()
    one, eight = everything(*batch_), divided(*placed)
    for name in ACROSS:
        for a, b in zip(jax.tree.leaves(one[name]), jax.tree.leaves(eight[name]), strict=True):
            scale = np.abs(np.asarray(a)).max()
            np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-5 * scale, err_msg=name)
        assert one[name][0].counts.sum() > 0
    print(len(ACROSS), "losses agree")


if __name__ == "__main__":
    jax.config.update("jax_num_cpu_devices", 8)
    # Two thirds of the time to compile; how work is divided stays the same.
    jax.config.update("jax_disable_most_optimizations", True)
    compare_one_device_with_eight()
