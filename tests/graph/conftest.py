"""Graph tests run under blockbuster: a blocking call in an async node fails the test, as Studio's server would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[BlockBuster]:
    with blockbuster_ctx("counselgraph") as guard:
        yield guard
