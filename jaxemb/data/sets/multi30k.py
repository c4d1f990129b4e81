"""Multi30k, task 2: five independent captions of each picture, in two languages."""

from pathlib import Path


def files(data_dir: Path, split: str, language: str) -> list[Path]:
    """Names the five files of captions.

    Args:
      data_dir: folder of the data sets.
      split: train, val or test_2016.
      language: en or de.

    Returns:
      The files; line i of each describes picture i.
    """
    folder = data_dir / "multi30k" / "task2"
    return [folder / f"{split}.{number}.{language}.gz" for number in range(1, 6)]
