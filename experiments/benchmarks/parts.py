"""A benchmark's parts: each is run, printed and recorded by itself, then one table made of all."""

import dataclasses
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..harness import run_folder
from ..harness.tables import markdown
from .processes import say


class Outcome(NamedTuple):
    """What a part found.

    Attributes:
      figures: flat; None where there is none, for the reason told in the lines.
      lines: the same in Markdown.
    """

    figures: dict[str, float | None]
    lines: list[str]


def run(
    measures: Mapping[str, Callable[[], Outcome]],
    title: str,
    *,
    config: Any,
    out: Path,
    machine: Mapping[str, str | int | None],
) -> None:
    """Runs parts and writes what they find beside what other runs found.

    Args:
      measures: the parts to run, by name.
      title: heading of the table.
      config: a dataclass, recorded with each part.
      out: folder; gets table.md, summary.json and parts/. Parts that are run again replace their
        own figures there, others stay.
      machine: what the figures were measured on.
    """
    folder = out / "parts"
    folder.mkdir(parents=True, exist_ok=True)
    for part, measure in measures.items():
        say(f"part {part}")
        load, began = os.getloadavg()[0], time.perf_counter()
        outcome = measure()
        seconds = time.perf_counter() - began
        say(f"part {part} took {seconds:.0f} s")
        print("\n".join(outcome.lines), flush=True)
        record = {
            "machine": machine,
            "load_before": load,
            "seconds": seconds,
            "config": json.loads(json.dumps(dataclasses.asdict(config), default=str)),
            **outcome._asdict(),
        }
        run_folder.write_json(folder / f"{part}.json", record)
        print(f"wrote {', '.join(str(path) for path in write_results(out, title))}", flush=True)


def write_results(out: Path, title: str) -> tuple[Path, Path]:
    """Writes table.md and summary.json from all parts in the folder; returns their paths."""
    # In the order in which they were run last.
    found = sorted((out / "parts").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    records = {path.stem: json.loads(path.read_text()) for path in found}
    lines = [f"# {title}", ""]
    machines: dict[str, list[str]] = {}
    for part, record in records.items():
        text = "; ".join(f"{name} {value}" for name, value in record["machine"].items())
        machines.setdefault(text, []).append(part)
    lines += [f"{text} ({', '.join(parts)})\n" for text, parts in machines.items()]
    lines += markdown(
        ("part", "seconds", "load before"),
        [(part, f"{r['seconds']:.0f}", f"{r['load_before']:.1f}") for part, r in records.items()],
    )
    summary: dict[str, float | None] = {}
    for part, record in records.items():
        lines += ["", f"## {part}", "", *record["lines"]]
        summary |= record["figures"] | {f"{part}_part_seconds": record["seconds"]}
    (out / "table.md").write_text("\n".join(lines) + "\n")
    run_folder.write_json(out / "summary.json", summary)
    return out / "table.md", out / "summary.json"
