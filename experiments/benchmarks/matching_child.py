"""What experiments.benchmarks.matching measures in processes of their own.

`python -m experiments.benchmarks.matching_child TASK JSON` prints its figures as a line of JSON.
Libraries are imported where they are needed, so that a process holds only those that it measures.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..harness.peak_memory import peak_mb

Figures = dict[str, float]

SIDE, CLASSES = 28, 512
# Steps of a compiled call, and of the piece of a training that counts.
PIECE = 10
MARGIN, TEMPERATURE = 0.2, 0.1


def made_up(seed: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns [N, 28, 28, 1] noisy pictures of classes and their labels [N], a class in a row."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(CLASSES, dtype=np.int32), 2 * samples)
    images = rng.random((CLASSES, SIDE, SIDE, 1), np.float32)[labels]
    return images + rng.random(images.shape, np.float32), labels


def batches_of(seed: int, samples: int, identities: int, steps: int) -> np.ndarray:
    """Returns [steps, B] rows, the same for both systems."""
    import jax

    from jaxemb.sampling.balanced import BalancedBatches

    labels = made_up(seed, samples)[1]
    sampler = BalancedBatches(jax.random.key(seed), labels, identities=identities, samples=samples)
    return sampler.batches(0, steps)


def torch_training(
    *,
    features: Sequence[int],
    dim: int,
    identities: int,
    samples: int,
    steps: int,
    threads: int,
    seed: int,
) -> Figures:
    """Trains by PyTorch and pytorch-metric-learning."""
    import torch
    from pytorch_metric_learning import distances, losses, miners, reducers

    torch.set_num_threads(threads)
    torch.manual_seed(seed)

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = [1, *features]
            blocks = [
                (
                    torch.nn.Conv2d(before, width, 3, padding=1, bias=False),
                    torch.nn.MaxPool2d(2),
                    torch.nn.GroupNorm(8, width, eps=1e-6),
                    torch.nn.ReLU(),
                )
                for before, width in zip(widths[:-1], widths[1:], strict=True)
            ]
            self.blocks = torch.nn.Sequential(*(layer for block in blocks for layer in block))
            side = SIDE // 2 ** len(features)
            self.last = torch.nn.Linear(side * side * widths[-1], dim)

        def forward(self, images):
            return torch.nn.functional.normalize(self.last(self.blocks(images).flatten(1)))

    images, labels = made_up(seed, samples)
    rows = batches_of(seed, samples, identities, steps)
    # As convolutions on CPU like them best.
    layout = {"memory_format": torch.channels_last}
    encoder = Encoder().to(**layout)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)
    distance = distances.LpDistance(normalize_embeddings=False, power=2)
    miner = miners.BatchHardMiner(distance=distance)
    loss_of = losses.TripletMarginLoss(
        margin=MARGIN, distance=distance, reducer=reducers.MeanReducer()
    )
    marks = [time.perf_counter()]
    for step, chosen in enumerate(rows, 1):
        batch = torch.from_numpy(images[chosen].transpose(0, 3, 1, 2)).to(**layout)
        target = torch.from_numpy(labels[chosen])
        optimizer.zero_grad()
        vectors = encoder(batch)
        loss_of(vectors, target, miner(vectors, target)).backward()
        optimizer.step()
        if step % PIECE == 0:
            marks.append(time.perf_counter())
    fastest = PIECE * rows.shape[1] / np.diff(marks).min()
    return {"images_per_second": float(fastest), "peak_mb": peak_mb()}


def jaxemb_training(
    *, features: Sequence[int], dim: int, identities: int, samples: int, steps: int, seed: int
) -> Figures:
    """Trains by jaxemb."""
    import jax
    import jax.numpy as jnp

    from jaxemb.methods import matching
    from jaxemb.models.encoders import ConvEncoder
    from jaxemb.training import loop
    from jaxemb.training.run import Run

    images, labels = made_up(seed, samples)
    rows = batches_of(seed, samples, identities, steps)
    encoder = ConvEncoder(dim, tuple(features))
    variables = jax.jit(encoder.init)(jax.random.key(seed), jnp.zeros((1, SIDE, SIDE, 1)))
    training = matching.start(
        seed,
        encoder,
        matching.losses.triplet(margin=MARGIN, mining="hardest"),
        images,
        labels,
        matching.Options(iterations=steps, learning_rate=1e-3, call_steps=PIECE),
        params={"encoder": variables},
        rows=lambda start, stop: rows[start:stop],
    )
    marks = [0.0]
    report = Run(progress=False, report=lambda done, metrics, seconds: marks.append(seconds))
    loop.fit(training, report)
    fastest = PIECE * rows.shape[1] / np.diff(marks).min()
    return {"images_per_second": float(fastest), "peak_mb": peak_mb()}


def jaxemb_mining(
    *, features: Sequence[int], dim: int, identities: int, samples: int, seed: int
) -> Figures:
    """Times mining, on vectors that are there, and a step of training with such a batch."""
    import jax
    import jax.numpy as jnp

    from jaxemb.losses.distances import pairwise_squared_euclidean
    from jaxemb.sampling.triplets import hardest_triplets

    rng = np.random.default_rng(seed)
    vectors = jnp.asarray(rng.normal(size=(identities * samples, dim)), jnp.float32)
    labels = jnp.asarray(np.repeat(np.arange(identities), samples))

    @jax.jit
    def mine(vectors: jax.Array) -> Any:
        return hardest_triplets(pairwise_squared_euclidean(vectors, vectors), labels)

    jax.block_until_ready(mine(vectors))
    seconds = []
    for _ in range(30):
        began = time.perf_counter()
        jax.block_until_ready(mine(vectors))
        seconds.append(time.perf_counter() - began)
    trained = jaxemb_training(
        features=features, dim=dim, identities=identities, samples=samples, steps=20, seed=seed
    )
    step = identities * samples / trained["images_per_second"]
    return {"mining_ms": 1000 * float(np.median(seconds)), "step_ms": 1000 * step}


def _hardest(vectors: Any, labels: Any) -> Any:
    from jaxemb.losses.distances import pairwise_squared_euclidean
    from jaxemb.losses.triplet import mined_triplets_loss
    from jaxemb.sampling.triplets import hardest_triplets

    chosen = hardest_triplets(pairwise_squared_euclidean(vectors, vectors), labels)
    return mined_triplets_loss(vectors, chosen, margin=MARGIN)


def vectors_of(seed: int, dim: int, identities: int, samples: int) -> tuple[np.ndarray, ...]:
    """Returns [B, D] vectors of length 1, their labels and [C, D] a vector for each class."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(identities), samples)
    centers = rng.normal(size=(identities, dim))
    vectors = centers[labels] + 2 * rng.normal(size=(len(labels), dim))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), labels, centers.astype(np.float32)


def torch_losses(
    *, features: Sequence[int], dim: int, identities: int, samples: int, seed: int, out: str
) -> Figures:
    """Evaluates pytorch-metric-learning's losses."""
    import torch
    from pytorch_metric_learning import distances, losses, miners, reducers

    vectors, labels, centers = vectors_of(seed, dim, identities, samples)
    target = torch.from_numpy(labels)
    distance = distances.LpDistance(normalize_embeddings=False, power=2)
    mean = reducers.MeanReducer()
    triplets = losses.TripletMarginLoss(margin=MARGIN, distance=distance, reducer=mean)
    hardest = miners.BatchHardMiner(distance=distance)
    arcface = losses.ArcFaceLoss(identities, dim, margin=np.degrees(0.5), scale=64)
    cosface = losses.CosFaceLoss(identities, dim, margin=0.35, scale=64)
    with torch.no_grad():
        for loss in (arcface, cosface):
            loss.W.copy_(torch.from_numpy(centers.T))
    supervised = losses.SupConLoss(temperature=TEMPERATURE, reducer=mean)
    evaluate: dict[str, Callable[[Any], Any]] = {
        "all_triplets": lambda x: triplets(x, target),
        "hardest_triplets": lambda x: triplets(x, target, hardest(x, target)),
        "supervised_contrastive": lambda x: supervised(x, target),
        "arcface": lambda x: arcface(x, target),
        "cosface": lambda x: cosface(x, target),
    }
    found, gradients = {}, []
    for name, loss_of in evaluate.items():
        x = torch.from_numpy(vectors).requires_grad_()
        loss = loss_of(x)
        loss.backward()
        found[name] = float(loss)
        gradients.append(x.grad.numpy())
    np.save(out, np.stack(gradients))
    return found


def jaxemb_losses(
    *, features: Sequence[int], dim: int, identities: int, samples: int, seed: int, out: str
) -> Figures:
    """Evaluates jaxemb's losses."""
    import jax
    import jax.numpy as jnp

    from jaxemb.losses.angular_margin import arcface_loss, cosface_loss
    from jaxemb.losses.distances import pairwise_squared_euclidean
    from jaxemb.losses.supervised_contrastive import supervised_contrastive_loss
    from jaxemb.losses.terms import mean_of_terms
    from jaxemb.losses.triplet import all_triplets_loss
    from jaxemb.sampling.triplets import all_triplets

    vectors, labels, centers = map(jnp.asarray, vectors_of(seed, dim, identities, samples))

    def of_all_triplets(x: jax.Array) -> Any:
        triplets = all_triplets(labels, positives=samples - 1)
        return all_triplets_loss(pairwise_squared_euclidean(x, x), *triplets, margin=MARGIN)

    evaluate: dict[str, Callable[[jax.Array], Any]] = {
        "all_triplets": of_all_triplets,
        "hardest_triplets": lambda x: _hardest(x, labels),
        "supervised_contrastive": lambda x: supervised_contrastive_loss(
            x, labels, temperature=TEMPERATURE
        ),
        "arcface": lambda x: arcface_loss(x, labels, centers),
        "cosface": lambda x: cosface_loss(x, labels, centers),
    }
    found, gradients = {}, {}
    for name, loss_of in evaluate.items():
        loss, gradients[name] = jax.value_and_grad(lambda x, f=loss_of: mean_of_terms(f(x)))(
            vectors
        )
        found[name] = float(loss)
    np.save(out, np.stack(list(gradients.values())))
    return found


def compare(*, files: Sequence[str], **_: Any) -> list[float]:
    """Returns how far the second's gradients are from the first's, as a share of their length."""
    theirs, ours = (np.load(file) for file in files)
    norms = np.linalg.norm(ours - theirs, axis=(1, 2)) / np.linalg.norm(theirs, axis=(1, 2))
    return norms.tolist()


TASKS = {
    task.__name__: task
    for task in (
        torch_training,
        jaxemb_training,
        jaxemb_mining,
        torch_losses,
        jaxemb_losses,
        compare,
    )
}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](**json.loads(sys.argv[2]))))
