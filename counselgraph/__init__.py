"""counselgraph: multi-agent simulation of counseling dialogues on LangGraph. A research simulator, not care."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from counselgraph.privacy import keep_quiet

keep_quiet()

if TYPE_CHECKING:
    from counselgraph.agents.ask import Ask, Draft, Scene
    from counselgraph.agents.role import Role, Update, role
    from counselgraph.errors import (
        ConfigError,
        ContextTooLong,
        CounselgraphError,
        InfrastructureError,
        InputError,
        ModelError,
    )
    from counselgraph.graphs.context import Context
    from counselgraph.graphs.session import build_session
    from counselgraph.graphs.state import Ending, SessionState, StopReason
    from counselgraph.memory.record import MemoryRecord
    from counselgraph.memory.store import MemoryStore
    from counselgraph.models.base import Answer, Model, Request, Usage
    from counselgraph.models.load import Models
    from counselgraph.personas.load import load_personas
    from counselgraph.personas.persona import Persona
    from counselgraph.protocols.plan import Plan
    from counselgraph.protocols.technique import Technique
    from counselgraph.runner.batch import RunResult, resume, run, run_sync
    from counselgraph.runner.export import export
    from counselgraph.runner.log import SessionRecord, read_run, read_session
    from counselgraph.runner.spec import RunSpec
    from counselgraph.safety.levels import Level, Risk, Verdict
    from counselgraph.safety.screen import screen

__version__ = "0.1.0"

_HOMES = {
    "agents.ask": ("Ask", "Draft", "Scene"),
    "agents.role": ("Role", "Update", "role"),
    "errors": (
        "ConfigError",
        "ContextTooLong",
        "CounselgraphError",
        "InfrastructureError",
        "InputError",
        "ModelError",
    ),
    "graphs.context": ("Context",),
    "graphs.session": ("build_session",),
    "graphs.state": ("Ending", "SessionState", "StopReason"),
    "memory.record": ("MemoryRecord",),
    "memory.store": ("MemoryStore",),
    "models.base": ("Answer", "Model", "Request", "Usage"),
    "models.load": ("Models",),
    "personas.load": ("load_personas",),
    "personas.persona": ("Persona",),
    "protocols.plan": ("Plan",),
    "protocols.technique": ("Technique",),
    "runner.batch": ("RunResult", "resume", "run", "run_sync"),
    "runner.export": ("export",),
    "runner.log": ("SessionRecord", "read_run", "read_session"),
    "runner.spec": ("RunSpec",),
    "safety.levels": ("Level", "Risk", "Verdict"),
    "safety.screen": ("screen",),
}
_WHERE = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Answer",
    "Ask",
    "ConfigError",
    "Context",
    "ContextTooLong",
    "CounselgraphError",
    "Draft",
    "Ending",
    "InfrastructureError",
    "InputError",
    "Level",
    "MemoryRecord",
    "MemoryStore",
    "Model",
    "ModelError",
    "Models",
    "Persona",
    "Plan",
    "Request",
    "Risk",
    "Role",
    "RunResult",
    "RunSpec",
    "Scene",
    "SessionRecord",
    "SessionState",
    "StopReason",
    "Technique",
    "Update",
    "Usage",
    "Verdict",
    "__version__",
    "build_session",
    "export",
    "load_personas",
    "read_run",
    "read_session",
    "resume",
    "role",
    "run",
    "run_sync",
    "screen",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that `import counselgraph` costs next to nothing."""
    if name not in _WHERE:
        raise AttributeError(f"module 'counselgraph' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"counselgraph.{_WHERE[name]}"), name)
    return value


def __dir__() -> list[str]:
    return __all__
