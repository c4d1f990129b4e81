"""Matching: an encoder that brings examples of one individual or class together.

Example:
    import numpy as np

    from jaxemb.methods import matching
    from jaxemb.models.encoders import ConvEncoder

    labels = np.repeat(np.arange(6), 8)  # whose each image is
    noise = np.random.default_rng(0).random((54, 16, 16, 1), np.float32)
    images = noise[labels] + 0.3 * noise[6:]  # [N, H, W, C] of your own
    triplet = matching.losses.triplet(margin=0.2, mining="semi_hard")
    options = matching.Options(iterations=25, identities=6)
    fitted = matching.fit(0, ConvEncoder(8, (8,)), triplet, images, labels, options)
    vectors = matching.encode(fitted.model, images)  # [N, 8], of length 1

Distances of the vectors say whether two examples are of one individual, trained on or new:
`jaxemb.evaluation.gallery` enrolls and finds, `jaxemb.evaluation.verification` judges. Other losses
are in `matching.losses`, other choices of triplets in `matching.mining`.
"""

from jaxemb.methods.matching import losses, mining
from jaxemb.methods.matching.losses import Loss
from jaxemb.methods.matching.training import (
    Fitted,
    Model,
    Options,
    Steps,
    encode,
    fit,
    start,
    start_on,
)

__all__ = [
    "Fitted",
    "Loss",
    "Model",
    "Options",
    "Steps",
    "encode",
    "fit",
    "losses",
    "mining",
    "start",
    "start_on",
]
