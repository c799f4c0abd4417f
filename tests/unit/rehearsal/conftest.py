from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from langchain_core.messages import AnyMessage

from counselgraph.models.base import Request
from counselgraph.personas.persona import Intake
from counselgraph.transcript import turn

INTAKE = Intake(name="Mira Lang", reason_for_counseling="I keep doubting myself at work.")


def dialogue(*lines: str) -> list[AnyMessage]:
    """Turns that alternate, the counselor's opening first."""
    return [turn("client" if i % 2 else "counselor", line, exchange=(i + 1) // 2) for i, line in enumerate(lines)]


@pytest.fixture
def ask() -> Callable[..., Request]:
    def build(role: str, messages: Sequence[AnyMessage] = (), /, **given: Any) -> Request:
        exchange = given.pop("exchange", max((m.additional_kwargs["exchange"] for m in messages), default=0))
        request: dict[str, Any] = {key: given.pop(key) for key in ("seed", "language", "output") if key in given}
        view: Mapping[str, Any] = {"intake": INTAKE, "messages": list(messages), "exchange": exchange, **given}
        return Request(role=role, messages=(), view=view, exchange=exchange, **request)

    return build
