import json

from jaxemb.experiments.benchmarks import parts


def test_a_part_run_again_replaces_its_figures(tmp_path):
    (tmp_path / "parts").mkdir()
    record = {"machine": {"cores": 2}, "load_before": 0, "seconds": 5, "lines": ["| a |"]}
    for part, figures in {"speed": {"x": 1.0}, "wide": {"y": None}, "encoding": {"z": 3}}.items():
        path = tmp_path / "parts" / f"{part}.json"
        path.write_text(json.dumps(record | {"figures": figures}))
    parts.write_results(tmp_path, "title")
    path.write_text(json.dumps(record | {"figures": {"w": 4}, "machine": {"cores": 3}}))
    parts.write_results(tmp_path, "title")
    summary = json.loads((tmp_path / "summary.json").read_text())
    seconds = {f"{part}_part_seconds": 5 for part in ("speed", "wide", "encoding")}
    assert summary == {"x": 1.0, "y": None, "w": 4} | seconds
    table = (tmp_path / "table.md").read_text()
    assert "cores 2 (speed, wide)" in table
    assert "cores 3 (encoding)" in table
