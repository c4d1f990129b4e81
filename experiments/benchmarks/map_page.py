"""The map's page in Chromium without a screen: its size, how fast it opens and how it moves.

Needs Chromium and its driver. A minute on two cores.
"""

import dataclasses
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.plots import point_map

from ..harness import command
from ..harness.tables import markdown
from . import parts, processes
from .parts import Outcome

Part = Literal["words", "points"]
TITLE = "The map's page in Chromium"
PACKAGES = ("jaxemb", "numpy", "selenium")
# Neighbors of each point, and classes and columns of the part points.
NEIGHBORS, CLASSES, COLUMNS = 10, 10, 3

# A drag around the map, as fast as the page draws: each picture moves it on. What a picture takes
# is the time to the next one that the browser is ready for.
_PAN = """
const [seconds, done] = arguments
const times = []
let last = performance.now()
const began = last
function step(now) {
  times.push(now - last)
  last = now
  if (now - began > 1000 * seconds) return done(times.slice(2))
  view.moveBy(9 * Math.cos(now / 300), 7 * Math.sin(now / 300))
  requestAnimationFrame(step)
}
requestAnimationFrame(step)
"""
_ZOOM = _PAN.replace(
    "view.moveBy(9 * Math.cos(now / 300), 7 * Math.sin(now / 300))",
    "view.zoom(Math.exp(0.02 * Math.sin(now / 300)))",
)


@dataclasses.dataclass(frozen=True)
class Config:
    """Measures the page of a large map; the defaults reproduce the README's figures.

    Writes table.md, summary.json and parts/ to --out. Parts that are run again replace their own
    figures there, others stay.
    """

    parts: tuple[Part, ...] = get_args(Part)
    """words: named, with counts; points: with classes and columns."""
    n: int = 100_000
    """Points in the map."""
    pan_seconds: float = 5.0
    """How long the map is moved, and then zoomed."""
    repeats: int = 3
    """Times that each page is opened; medians count."""
    width: int = 1440
    """Of the window, in pixels."""
    height: int = 900
    """Of the window, in pixels."""
    seed: int = 0
    """Of the made-up points."""
    out: Path = Path("runs/benchmarks/map_page")
    """Folder of the figures; its subfolder work/ can be deleted afterwards."""

    def __post_init__(self):
        """Refuses values that can't be measured.

        Raises:
          InputError: naming the field.
        """
        for name in ("repeats", "width", "height"):
            checks.check_field(self, name, at_least=1)
        checks.check_field(self, "n", at_least=100, at_most=100_000)
        checks.check_field(self, "pan_seconds", above=0, at_most=600)


def run(config: Config) -> None:
    """Measures the parts asked for and writes them beside those that are there."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        raise InputError("Chromium or chromedriver is not installed")
    (config.out / "work").mkdir(parents=True, exist_ok=True)
    measures: dict[str, Callable[[], Outcome]] = {
        part: partial(measure, config, part) for part in config.parts
    }
    machine = processes.describe_machine(PACKAGES)
    parts.run(measures, TITLE, config=config, out=config.out, machine=machine)


def write_page(config: Config, part: str, path: Path) -> None:
    """Writes the page of made-up points in clusters."""
    rng = np.random.default_rng(config.seed)
    size = config.n
    labels = rng.integers(CLASSES, size=size)
    angles = 2 * np.pi * labels / CLASSES
    middles = 40 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = middles + rng.normal(size=(size, 2)) * 8
    near = point_map.Near(
        rng.integers(size, size=(size, NEIGHBORS)),
        np.sort(rng.random((size, NEIGHBORS)), axis=1),
        "cosine",
    )
    more: dict[str, Any] = {
        "labels": labels,
        "classes": [f"class {i}" for i in range(CLASSES)],
        "columns": {f"column {i}": rng.normal(size=size) for i in range(COLUMNS)},
    }
    if part == "words":
        letters = rng.integers(97, 123, size=(size, 8), dtype=np.uint8)
        names = [word.tobytes().decode()[: 4 + i % 5] for i, word in enumerate(letters)]
        more = {"names": names, "counts": np.arange(size, 0, -1), "total": 2 * size}
    point_map.write_html(path, points, near=near, title=f"{size:,} {part}", **more)


def measure(config: Config, part: str) -> Outcome:
    """Opens a page, moves and zooms it."""
    path = config.out.resolve() / "work" / f"{part}.html"
    write_page(config, part, path)
    found: dict[str, list[float]] = {}
    for _ in range(config.repeats):
        for name, value in in_browser(config, path).items():
            found.setdefault(name, []).append(value)
    figures: dict[str, float | None] = {"megabytes": path.stat().st_size / 1e6}
    figures |= {name: float(np.median(values)) for name, values in found.items()}
    lines = markdown(
        ("what", "figure"), [(name, f"{value:.4g}") for name, value in figures.items()]
    )
    return Outcome({f"{part}_{name}": value for name, value in figures.items()}, lines)


def in_browser(config: Config, path: Path) -> dict[str, float]:
    """Opens a page in a browser of its own; returns seconds and pictures a second."""
    from selenium import webdriver
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    size = f"--window-size={config.width},{config.height}"
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", size):
        options.add_argument(flag)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with webdriver.Chrome(options=options, service=service) as browser:
        browser.get("about:blank")
        began = time.perf_counter()
        browser.get(path.as_uri())
        WebDriverWait(browser, 60, poll_frequency=0.01).until(
            lambda _: browser.execute_script("return document.body.dataset.ready")
        )
        opened = time.perf_counter() - began
        browser.set_script_timeout(60 + 2 * config.pan_seconds)
        figures = {"seconds_to_first_picture": opened}
        for name, script in (("panning", _PAN), ("zooming", _ZOOM)):
            times = np.array(browser.execute_async_script(script, config.pan_seconds))
            figures[f"{name}_pictures_a_second"] = 1000 / times.mean()
            figures[f"{name}_slowest_percent_ms"] = float(np.quantile(times, 0.99))
        return figures


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
