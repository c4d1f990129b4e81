"""Each user's items in order, read as a sentence: skip-gram with negative sampling."""

import jax

from jaxemb.data.events import Events
from jaxemb.data.text import Text, from_tokens
from jaxemb.methods import word2vec
from jaxemb.methods.items.options import Options
from jaxemb.training.state import Training


def sentences(events: Events) -> Text:
    """Returns the items of each user as a document.

    Raises:
      InputError: if no user has two events.
    """
    names, starts = events.item_names, events.starts
    return from_tokens(
        [
            [names[item] for item in events.items[start:end]]
            for start, end in zip(starts[:-1], starts[1:], strict=True)
        ],
        min_count=1,
    )


def start(key: jax.Array, events: Events, options: Options) -> Training:
    """Prepares the training; it finishes as a `word2vec.Fitted`."""
    return word2vec.start(
        key,
        sentences(events),
        word2vec.Options(
            dim=options.dim,
            epochs=options.passes,
            window=options.window,
            negatives=options.negatives,
            subsample=options.subsample,
            noise_power=options.noise_power,
            learning_rate=options.rate,
        ),
    )._replace(about=options)
