"""Words as the UTF-8 bytes that stand in formats where white space ends a word."""

from pathlib import Path

from jaxemb.errors import InputError


def encode(word: str, path: Path, row: int) -> bytes:
    """Encodes a word that white space will end.

    Args:
      word: The word; not empty.
      path: The file, for the message.
      row: Its row, counted from 0, for the message.

    Raises:
      InputError: if the word has a space, tab, line feed or another ASCII white space. (Unicode's
        other spaces are fine: every reader of these formats ends words at ASCII ones only.)
    """
    raw = word.encode()
    if raw.split() != [raw]:
        raise InputError(
            f"{path}: row {row}: word {word!r:.80} holds white space, which ends a word in this "
            "format. Replace it (word2vec's phrases use '_'), or write .safetensors or .npz."
        )
    return raw
