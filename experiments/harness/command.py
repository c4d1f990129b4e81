"""The command line that all experiments share: that of jaxemb's commands, and common flags."""

import dataclasses
from pathlib import Path

import jax
import pooch

from jaxemb import checks
from jaxemb.commands.command_line import flat_fields, main, with_flag
from jaxemb.data.files import default_data_dir

__all__ = ["Common", "flat_fields", "main", "use_cache", "with_flag"]


def use_cache() -> Path:
    """Lets a run find its programs compiled by an earlier one.

    Returns:
      The folder of what can be made again.
    """
    cache = Path(pooch.os_cache("jaxemb"))
    jax.config.update("jax_compilation_cache_dir", str(cache / "compiled"))
    # The quick ones too: a run has dozens, which together take a second to compile.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    return cache


@dataclasses.dataclass(frozen=True)
class Common:
    """The flags of every experiment; an experiment has them as its field `common`."""

    out: Path = Path("runs/experiment")
    """Folder of the run."""
    seed: int = 0
    """Same seed, same bits."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where data sets lie (or JAXEMB_DATA)."""
    font: Path | None = None
    """A font for letters that the usual one lacks, beside those found on the system; of a finished
    run, the pictures are drawn again."""
    checkpoint_seconds: float = 300.0
    """Seconds from one checkpoint to the next; the last state is saved in any case."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "seed", at_least=0, at_most=(1 << 32) - 1)
        checks.check_field(self, "checkpoint_seconds", at_least=0)
