"""What a run may have that doesn't change its result: checkpoints, a log, a progress bar."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxemb import checks
from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.training.state import Metrics


@documented
@dataclasses.dataclass(frozen=True)
class Run:
    """How to run a training. Nothing here changes what comes out."""

    checkpoints: Path | None = None
    """Folder of checkpoints, for this run alone; the run goes on from what it holds. None saves
    none."""
    seconds: float = 300.0
    """From one checkpoint to the next; the last state is saved in any case."""
    log: Path | None = None
    """File that gets a line of metrics for each compiled call, as JSON."""
    report: Callable[[int, Metrics, float], None] | None = None
    """Called after each compiled call with (steps done, metrics of its steps, seconds so far)."""
    progress: bool | None = None
    """Whether to show a progress bar. None shows one on a terminal."""

    def __post_init__(self):
        """Makes paths of strings, and refuses what no run can use.

        Raises:
          InputError: naming the field.
        """
        for name in ("checkpoints", "log"):
            path = getattr(self, name)
            if isinstance(path, str):
                object.__setattr__(self, name, Path(path))
            elif path is not None and not isinstance(path, Path):
                raise InputError(f"{name} must be a path or None, found {type(path).__name__}")
        checks.check_fields(self)
        checks.check_field(self, "seconds", at_least=0)


def cut_log(path: Path, step: int) -> None:
    """Drops the lines of a log after a step, which a resumed run writes again.

    Raises:
      InputError: naming a line that no run wrote.
    """
    if not path.exists():
        return
    kept = []
    for number, line in enumerate(path.read_text().splitlines(keepends=True), 1):
        # The last line may be half written.
        if not line.endswith("\n"):
            break
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}: line {number}: expected a JSON object with a step, found "
                f"{line.strip()[:80]!r}; was the file changed?"
            ) from error
    with replacing(path) as part:
        part.write_text("".join(kept))


def add_line(path: Path, line: dict[str, Any]) -> None:
    """Appends a line to a log."""
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
