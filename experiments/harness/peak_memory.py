"""The most memory that a process has held."""

import resource
import sys
from pathlib import Path


def peak_mb() -> float:
    """Returns the most memory that this process has held so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: there a child begins with the peak of the process that started it.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    # Kilobytes, on macOS bytes.
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
