import dataclasses
import math

import pytest
from jaxemb.experiments.harness import command

from jaxemb.errors import InputError


@pytest.mark.parametrize("value", [math.nan, -1, 5])
def test_bounds(value):
    @dataclasses.dataclass
    class Fields:
        some_field: float

    command.check_field(Fields(3), "some_field", at_least=3, at_most=3)
    with pytest.raises(InputError, match=f"^--some-field must be at least 0 .* found {value}$"):
        command.check_field(Fields(value), "some_field", at_least=0, at_most=4)
