"""Tables as Markdown and as CSV."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from jaxemb.atomic import replacing


def markdown(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, figures: bool = False
) -> list[str]:
    """Returns the lines of a Markdown table.

    Args:
      header: names of the columns.
      rows: cells.
      figures: whether all columns but the first hold figures, which are set to the right.
    """
    rule = ["---", *["---:" if figures else "---"] * (len(header) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a CSV file so that it is there whole or not at all.

    Raises:
      OSError: if the file cannot be written.
    """
    with replacing(path) as part, part.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
