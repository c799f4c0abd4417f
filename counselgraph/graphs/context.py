"""The context of a session: plain values that stay the same from its first node to its last."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from counselgraph.agents.ask import Scene
from counselgraph.agents.responder import RESPONDER
from counselgraph.personas.interlude import Interlude

_UNLESS_NAMED = {RESPONDER: "human"}


class Context(BaseModel):
    """Run-scoped settings of one session; JSON values only, so that any LangGraph client can send them.

    Attributes:
        session: Session id, unique within a run.
        run: Run id; memories are told apart by it.
        persona: Persona id; names the client in memory and in seeds. If the input brings no persona, the built-in
            one of this id is loaded.
        seed: Run seed.
        replicate: 1 for the first session of a persona in a run, 2 for the second.
        models: Role name to model name; the key "default" stands for every role not named.
        params: Sampling parameters passed to every model.
        opens: Who speaks first.
        max_exchanges: The cap.
        min_exchanges: Exchanges before which no plan closes the session.
        call_limit: Model calls a session may cost, None for no limit.
        token_limit: Prompt and completion tokens a session may cost, None for no limit.
        language: ISO 639-1 code.
        locale: ISO 3166 country whose crisis resources are named.
        protocol: Approach that plans follow; that of the first session, in a course.
        sessions: Sessions a course is planned for.
        number: The session's place in its course, 1 for the first; None for a session by itself, whose place is what
            memory says.
        day: Day of the course, 0 for the first session.
        agenda: What the review before asks this session to take up first.
        since: What has happened to the client since the last session.
        carried: Private channels of the client's role at the end of its last session, as JSON; empty before the first.
        layers: What screens every turn before any model does: "rules" always, and others by name or import path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: str = "session"
    run: str = "run"
    persona: str = "maya-okafor"
    seed: int = 0
    replicate: int = Field(default=1, ge=1)
    models: dict[str, str] = Field(default_factory=dict)
    params: dict[str, float | int | str | bool] = Field(default_factory=dict)
    opens: Literal["counselor", "client"] = "counselor"
    max_exchanges: int = Field(default=20, ge=1)
    min_exchanges: int = Field(default=0, ge=0)
    call_limit: int | None = Field(default=None, ge=1)
    token_limit: int | None = Field(default=None, ge=1)
    language: str = "en"
    locale: str = "US"
    layers: tuple[str, ...] = ("rules",)
    protocol: str = "cbt"
    sessions: int = Field(default=1, ge=1)
    number: int | None = Field(default=None, ge=1)
    day: int = Field(default=0, ge=0)
    agenda: str = ""
    since: Interlude | None = None
    carried: dict[str, Any] = Field(default_factory=dict)

    @property
    def client_id(self) -> str:
        """Whom memories are about; replicates of a persona are different clients."""
        return self.persona if self.replicate == 1 else f"{self.persona}#{self.replicate}"

    @property
    def memory_session(self) -> str:
        """Name of this session in memory, unique across runs."""
        return f"{self.run}/{self.session}"

    def model_for(self, role: str) -> str:
        """Name of the model that plays a role."""
        return self.models.get(role) or _UNLESS_NAMED.get(role) or self.models.get("default", "rehearsal")

    @property
    def _place(self) -> tuple[int, ...]:
        """The place in a course, where there is one: its sessions have seeds of their own."""
        return () if self.number is None else (self.number,)

    def scene(self, exchange: int) -> Scene:
        """What a role may know of all this, at one exchange."""
        return Scene(
            session=self.session,
            exchange=exchange,
            seed_key="/".join(map(str, (self.seed, self.persona, self.replicate, *self._place))),
            max_exchanges=self.max_exchanges,
            min_exchanges=self.min_exchanges,
            language=self.language,
            locale=self.locale,
            protocol=self.protocol,
            sessions=self.sessions,
        )
