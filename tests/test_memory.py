import os

import pytest

from jaxemb.errors import InputError
from jaxemb.memory import available_memory, require_memory


@pytest.mark.skipif(not os.path.exists("/proc/meminfo"), reason="only Linux tells")
def test_free_memory_is_known():
    assert 1e7 < available_memory() < 1e14


def test_what_does_not_fit_is_refused():
    require_memory(1000, "a map", "wait")
    with pytest.raises(InputError, match=r"a map: about 1,000,000\.0 GB .* GB are free; wait"):
        require_memory(10**15, "a map", "wait")
