"""Pictures and words in one space: words find pictures, and pictures words.

Example:
    import numpy as np
    from jaxemb import image_words

    # Icons of your own: jaxemb.data.pictures.read_pictures(files, side=32, color=True)
    images = np.full((40, 32, 32, 3), 255, np.uint8)
    for row in range(40):
        images[row, 4 + row % 4 : 20, 6:26] = (200, 30, 30) if row % 2 else (30, 30, 200)
    words = [["red", "square"] if row % 2 else ["blue", "square"] for row in range(40)]
    fitted = image_words.fit(images, words)
    seen = image_words.encode(fitted.model, images)  # [40, D], of length 1
    asked = image_words.encode_words(fitted.model, ["red square"])  # [1, D]
    np.argmax(seen @ asked[0])  # a red one

A tower tells from a picture how strongly it speaks for each word, by ridge regression with a
Gaussian kernel on descriptors of drawings: icons, emoji, signs. Of photographs they say little. A
text is the sum of its words' vectors, and a picture the sum of all, each as often as the picture
speaks for it.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxemb import checks
from jaxemb.data.tokenize import words as words_of
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.models import picture_words
from jaxemb.models.picture_words import Space
from jaxemb.training.state import History

# Pixels of a side that the descriptors need.
_SMALLEST = 16


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines the space, pictures and words given."""

    dim: int = 256
    """Width of the space, at most."""
    rarity: float = 0.5
    """Power of the logarithm of a word's rarity, by which its vector is longer."""
    sharpness: float = 3.0
    """Of the kernel exp(-sharpness * squared distance) between descriptors of length 1."""
    penalty: float = 0.3
    """Of the ridge: the larger, the less a single picture says."""

    def __post_init__(self) -> None:
        """Refuses values that no space can have.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=2)
        checks.check_field(self, "rarity", at_least=0)
        for name in ("sharpness", "penalty"):
            checks.check_field(self, name, above=0)


class Model(NamedTuple):
    """What encodes pictures and words.

    Attributes:
      space: words, their vectors, and the tower.
      means: of each drawing's descriptors of the pictures learned from, [F] of each kind.
      side: pixels of a picture's sides.
    """

    space: Space
    means: tuple[tuple[np.ndarray, ...], ...]
    side: int

    @property
    def color(self) -> bool:
        """Whether pictures are in color: they always are."""
        return True


class Fitted(NamedTuple):
    """Pictures and words in one space.

    Attributes:
      model: for `encode` and `encode_words`.
      options: of the method.
      history: empty, for nothing is iterated.
    """

    model: Model
    options: Options
    history: History = History()


def fit(
    images: Any,
    words: Sequence[str | Sequence[str]],
    options: Options | None = None,
    *,
    key: jax.Array | int | None = None,
) -> Fitted:
    """Learns a space from pictures with words; time grows with the third power of their number.

    Args:
      images: [N, H, H, 3] uint8 on white, H at least 16; or a tuple of such arrays, each another
        drawing of the same things.
      words: N texts, cut into words by `jaxemb.data.tokenize.words`, or lists of words, which may
        have blanks in them.
      options: None takes the defaults.
      key: not needed, for nothing is drawn.

    Returns:
      The space.

    Raises:
      InputError: if pictures or words are none such, or not as many.

    Reference:
      Deerwester et al. 1990 (a space of words from texts); Saunders, Gammerman & Vovk 1998 (the
      tower).
    """
    options = checks.as_options(options, Options)
    if key is not None:
        checks.as_key(key)
    drawings_of = [_images(one) for one in (images if isinstance(images, tuple) else (images,))]
    texts = _texts(words)
    for one in drawings_of:
        if one.shape != drawings_of[0].shape or len(one) != len(texts):
            raise InputError(
                f"images and words must be as many, found arrays of "
                f"{[list(each.shape) for each in drawings_of]} and {len(texts)} texts"
            )
    if len(texts) < 2 or not any(texts):
        raise InputError(f"words must be of two pictures or more, found {len(texts)} texts")
    described = [picture_words.describe(one) for one in drawings_of]
    means = tuple(tuple(part.mean(axis=0) for part in parts) for parts in described)
    tables = [picture_words.join(parts, own) for parts, own in zip(described, means, strict=True)]
    space = picture_words.learn(tables, texts, **dataclasses.asdict(options))
    return Fitted(Model(space, means, drawings_of[0].shape[1]), options)


def encode(model: Model, images: Any, *, drawing: int = 0) -> np.ndarray:
    """Embeds pictures, learned from or new.

    Args:
      model: from `fit`.
      images: [B, H, H, 3] uint8, of the sides that were learned from.
      drawing: which of the arrays given to `fit` they are drawn alike.

    Returns:
      [B, D] float32 of length 1.

    Raises:
      InputError: if the pictures are none such.
    """
    if not isinstance(model, Model):
        raise InputError(f"model must be that of a Fitted, found {type(model).__name__}")
    if not 0 <= drawing < len(model.means):
        raise InputError(f"drawing must be from 0 to {len(model.means) - 1}, found {drawing}")
    found = _images(images)
    if found.shape[1] != model.side:
        raise InputError(
            f"images must have {model.side} pixels a side, as those learned from, found "
            f"{found.shape[1]}"
        )
    return picture_words.encode_described(
        model.space, picture_words.join(picture_words.describe(found), model.means[drawing])
    )


def encode_words(model: Model, texts: Sequence[str | Sequence[str]]) -> np.ndarray:
    """Embeds words.

    Args:
      model: from `fit`.
      texts: B texts, or lists of words.

    Returns:
      [B, D] float32 of length 1; NaN where no word is known.

    Raises:
      InputError: if texts are a single string.
    """
    if not isinstance(model, Model):
        raise InputError(f"model must be that of a Fitted, found {type(model).__name__}")
    return picture_words.encode_texts(model.space, _texts(texts))


def _images(images: Any) -> np.ndarray:
    found = np.asarray(images)
    square = found.ndim == 4 and found.shape[1] == found.shape[2] and found.shape[3] == 3
    if not square or found.dtype != np.uint8 or not len(found) or found.shape[1] < _SMALLEST:
        raise InputError(
            f"images must be [N, H, H, 3] uint8 with H at least {_SMALLEST}, found "
            f"{list(found.shape)} {found.dtype}; jaxemb.data.pictures.read_pictures(files, "
            "side=32, color=True) reads such"
        )
    return found


def _texts(texts: Any) -> list[list[str]]:
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise InputError(f"words must be a list, a text or words of each, found {texts!r:.80}")
    found = [words_of(one) if isinstance(one, str) else list(one) for one in texts]
    if strange := [word for own in found for word in own if not isinstance(word, str)]:
        raise InputError(f"words must be strings, found {strange[0]!r}")
    return found
