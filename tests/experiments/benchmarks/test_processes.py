import sys

import pytest
from jaxemb.experiments.benchmarks import processes

from jaxemb.errors import InputError


def test_turns_alternate_and_medians_count():
    order = []
    rounds = {"a": iter([3.0, 1.0, 2.0]), "b": iter([5.0, 9.0, 8.0])}

    def measure(name):
        order.append(name)
        return {"seconds": next(rounds[name])}

    found = processes.take_turns(3, {name: lambda n=name: measure(n) for name in rounds})
    assert order == ["a", "b"] * 3
    assert found == {"a": {"seconds": 2.0}, "b": {"seconds": 8.0}}


def test_children_that_fail(tmp_path):
    where = {"log": tmp_path / "log.txt", "environment": {"STATUS": "3"}}
    program = "import os, sys; print('error: bad', file=sys.stderr); sys.exit(int({}))"
    refused, broken = program.format(2), program.format("os.environ['STATUS']")
    with pytest.raises(InputError, match="^bad$"):
        processes.run([sys.executable, "-c", refused], **where)
    with pytest.raises(RuntimeError, match="status 3"):
        processes.run([sys.executable, "-c", broken], **where)
    with pytest.raises(RuntimeError, match="status 3"):
        processes.time_until("ready", [sys.executable, "-c", broken], **where)


def test_a_child_is_timed_up_to_a_line_and_killed(tmp_path):
    program = "import time; print('ready after 7 s'); time.sleep(1000)"
    seconds, match = processes.time_until(
        r"after (\d)", [sys.executable, "-c", program], log=tmp_path / "log.txt", environment={}
    )
    assert (match[1], seconds > 0) == ("7", True)
