from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from counselgraph.models.base import ChatMessage, Request

MakeRequest = Callable[..., Request]


@pytest.fixture
def make_request() -> MakeRequest:
    """A client's request; keyword arguments replace its fields."""

    def make(**fields: Any) -> Request:
        messages: tuple[ChatMessage, ...] = (
            {"role": "system", "content": "You are the client."},
            {"role": "user", "content": "What brings you here?"},
        )
        return Request(**{"role": "client", "messages": messages, "session": "s1", "exchange": 1, "seed": 7} | fields)

    return make
