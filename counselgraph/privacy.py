"""Nothing leaves the machine unless an endpoint was named: switches that must be set before libraries load."""

from __future__ import annotations

import os

ALLOW = "COUNSELGRAPH_ALLOW_TRACING"

_OFF = {
    "LANGSMITH_TRACING": "false",
    "LANGSMITH_TRACING_V2": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "ANONYMIZED_TELEMETRY": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def keep_quiet() -> None:
    """Switch tracing, telemetry and downloads of our libraries off, and strict checkpoint reading on.

    A tracing switch left on in the environment by another project would send client material out, so it is
    overruled; set COUNSELGRAPH_ALLOW_TRACING=1 to keep your own settings.
    """
    if os.environ.get(ALLOW) != "1":
        os.environ.update(_OFF)
    os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
