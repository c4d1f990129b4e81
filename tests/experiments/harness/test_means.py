import math

import pytest
from jaxemb.experiments.harness.means import mean_of


def test_means_by_hand():
    values = [0.25, 1.5, -0.75]
    mean = sum(values) / 3
    variance = sum((value - mean) ** 2 for value in values) / 2
    # 4.30265: Student's t, two degrees of freedom, of a table.
    expected = (mean, 4.30265 * math.sqrt(variance / 3))
    assert mean_of(values) == pytest.approx(expected, rel=1e-6)
    assert mean_of([math.nan, *values]) == pytest.approx(expected, rel=1e-6)
    assert mean_of([math.nan, 2.0]) == pytest.approx((2.0, math.nan), nan_ok=True)
    assert mean_of([math.nan]) == pytest.approx((math.nan, math.nan), nan_ok=True)
    assert mean_of([3.0, 3.0]) == (3.0, 0.0)
