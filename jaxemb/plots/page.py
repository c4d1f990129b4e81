"""Pages that need nothing else: one file of a template, its data, scripts and images."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from jaxemb.atomic import replacing
from jaxemb.plots.sprites import Sprites


def write_page(
    path: Path,
    template: str,
    scripts: Sequence[str],
    parts: Mapping[str, str],
    data: Mapping[str, Any],
    images: Sprites | None,
) -> None:
    """Writes a page.

    Args:
      path: the page.
      template: file of this folder, with {NAME} where parts, {data}, {sheets} and {script} go.
      scripts: files of this folder, in this order.
      parts: HTML by name.
      data: what the scripts read as JSON; with "sprites", how the images lie, None without any.
      images: packed.

    Raises:
      OSError: if the file cannot be written.
    """
    layout = None if images is None else images._asdict()
    sheets = [] if layout is None else layout.pop("sheets")
    every = {
        **parts,
        # Nothing in a name may end the script.
        "data": json.dumps({**data, "sprites": layout}).replace("<", "\\u003c"),
        "sheets": "\n".join(
            f'<script type="text/plain" class="sheet">{sheet}</script>' for sheet in sheets
        ),
        "script": "\n".join(map(_read, scripts)),
    }
    # All at once: a part may hold what looks like another's place.
    page = re.sub(rf"\{{({'|'.join(every)})\}}", lambda found: every[found[1]], _read(template))
    with replacing(path) as part:
        part.write_text(page, encoding="utf-8")


def encoded(values: np.ndarray, kind: str) -> str:
    """Returns numbers as the scripts unpack them: little-endian, in base 64."""
    return base64.b64encode(np.asarray(values).astype(f"<{kind}").tobytes()).decode()


def _read(name: str) -> str:
    return (resources.files("jaxemb.plots") / name).read_text(encoding="utf-8")
