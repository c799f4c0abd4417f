"""The RunSpec: everything that decides what a run does. The same in Python, YAML and on the command line."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from counselgraph.agents.responder import RESPONDER
from counselgraph.errors import InputError
from counselgraph.graphs.recipes import RECIPES
from counselgraph.memory.connect import is_url
from counselgraph.personas.load import BUILTIN
from counselgraph.yaml_text import load_yaml

Params = dict[str, float | int | str | bool]


class RunSpec(BaseModel):
    """Many sessions, described once.

    Attributes:
        personas: "builtin", "builtin/<id>", a YAML file or folder, or any importable file;
            "fork/<digest>" in the folder of a fork.
        format: Importer to use; detected if left out.
        limit: At most this many personas, from the start.
        skip_bad: Run the good records of a file that also has bad ones.
        model: Model of every role that `models` does not name.
        models: Role name to model name.
        base_url: OpenAI-compatible endpoint for `vllm/...` and `openai/...` models; several with commas between them.
        client: What carries the calls: "fast", or "stock" for langchain-openai's own HTTP client.
        params: Sampling parameters passed to every model (temperature, top_p, max_tokens, ...).
        roles: Roles to add, or to put in the place of a default: offered names or import paths.
        seed: Every random choice of the run comes from it.
        replicates: Sessions per persona.
        recipe: What is played with each persona: "session", "course" for several sessions with a review after each and
            a time between them, or another of `counselgraph.graphs.recipes`.
        sessions_per_client: Sessions a course is planned for.
        protocol: Approach that plans follow, such as "cbt"; in a course that of the first session.
        opens: Who speaks first, "counselor" or "client".
        max_exchanges: The cap on exchanges.
        min_exchanges: Exchanges before which no plan closes a session.
        call_limit: Model calls a session may cost.
        token_limit: Tokens a session may cost.
        timeout_s: Seconds one model call may take.
        layers: What screens every turn before any model does: "rules" always, and others by name or import path.
        human_review: A person takes the counselor's seat once the crisis protocol has spoken: seats the role
            `responder`, played by a person unless `models` names somebody else.
        language: ISO 639-1 code for all sessions; each persona's own if left out.
        locale: ISO 3166 country whose crisis resources are named.
        concurrency: Sessions in flight at once.
        max_calls: Model calls in flight at once, per endpoint.
        workers: Processes that play the sessions; `concurrency` and `max_calls` are divided over them.
        executor: Where they are: "local" for this machine, "ray" for a Ray cluster.
        memory: "run" for a store inside the run folder, "none", or a store that outlives the run: its folder, or the
            URL of a Chroma server.
        embedder: "lexical", "minilm:<folder>", or "endpoint:<model>@<url>" for a server with /v1/embeddings.
        forgetting_days: Days in which an ordinary memory fades to a third, strengthened by recall; never if left out.
        out: The run folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    personas: str = "builtin"
    format: str | None = None
    limit: int | None = Field(default=None, ge=1)
    skip_bad: bool = False
    model: str = "rehearsal"
    models: dict[str, str] = Field(default_factory=dict)
    base_url: str | None = None
    client: Literal["fast", "stock"] = "fast"
    params: Params = Field(default_factory=dict)
    roles: tuple[str, ...] = ()
    seed: int = 0
    replicates: int = Field(default=1, ge=1)
    recipe: str = "session"
    sessions_per_client: int = Field(default=6, ge=1)
    protocol: str = "cbt"
    opens: str = Field(default="counselor", pattern="^(counselor|client)$")
    max_exchanges: int = Field(default=20, ge=1)
    min_exchanges: int = Field(default=0, ge=0)
    call_limit: int | None = Field(default=None, ge=1)
    token_limit: int | None = Field(default=None, ge=1)
    timeout_s: float = Field(default=120, gt=0)
    layers: tuple[str, ...] = ("rules",)
    human_review: bool = False
    language: str | None = Field(default=None, pattern=r"^[a-z]{2}(-[A-Z]{2})?$")
    locale: str = Field(default="US", pattern="^[A-Z]{2}$")
    concurrency: int = Field(default=64, ge=1)
    max_calls: int = Field(default=64, ge=1)
    workers: int = Field(default=1, ge=1)
    executor: Literal["local", "ray"] = "local"
    memory: str = "run"
    embedder: str = "lexical"
    forgetting_days: float | None = Field(default=None, gt=0)
    out: Path = Path("runs/latest")

    @model_validator(mode="before")
    @classmethod
    def _seat_more(cls, values: Any) -> Any:
        """Seat the roles of the recipe, and a responder for human review; those that are seated already stay."""
        if not isinstance(values, dict):
            return values
        recipe, review = RECIPES.get(values.get("recipe", "session")), values.get("human_review") is True
        wanted = (*(recipe.roles if recipe else ()), *([RESPONDER] if review else []))
        roles, models = tuple(values.get("roles") or ()), values.get("models") or {}
        seated = (*roles, *(role for role in wanted if role not in roles))
        return {**values, "roles": seated, "models": {RESPONDER: "human", **models} if review else models}

    @field_validator("recipe")
    @classmethod
    def _known(cls, recipe: str) -> str:
        if recipe not in RECIPES:
            raise ValueError(f"there is no such recipe; known are {', '.join(RECIPES)}")
        return recipe

    @model_validator(mode="after")
    def _bounds_agree(self) -> Self:
        if self.min_exchanges > self.max_exchanges:
            raise ValueError(f"min_exchanges ({self.min_exchanges}) is above max_exchanges ({self.max_exchanges})")
        return self

    @classmethod
    def of(cls, values: dict[str, Any], *, where: str | None = None) -> Self:
        """Make a spec out of plain values.

        Raises:
            InputError: A field is unknown or its value does not fit; names the field and the fix.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _explained(error, where) from error

    @classmethod
    def load(cls, file: str | Path, /, **overrides: Any) -> Self:
        """Read a spec from a YAML file; keyword arguments win over the file, in `models` and `params` key by key.

        Raises:
            InputError: The file cannot be read or does not hold a spec.
        """
        path = Path(file)
        try:
            values = load_yaml(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(
                f"cannot be read: {getattr(error, 'strerror', None) or error}.",
                file=str(path),
                fix="give a YAML file with a RunSpec",
            ) from error
        if not isinstance(values, dict):
            raise InputError("holds no mapping of fields", file=str(path), fix="write lines such as `model: rehearsal`")
        return cls.of(merged(values, overrides), where=str(path))

    @property
    def is_course(self) -> bool:
        """Whether each persona gets a course instead of one session."""
        return RECIPES[self.recipe].course

    def dump(self) -> dict[str, Any]:
        """Plain JSON values, every field."""
        return self.model_dump(mode="json")

    def placed(self) -> Self:
        """The same spec with the paths of its inputs and memory absolute, so that it means the same from anywhere."""
        kind, colon, folder = self.embedder.partition(":")
        places: dict[str, Any] = {
            "personas": self.personas if self.personas.partition("/")[0] == BUILTIN else _existing(self.personas),
            "model": _placed_model(self.model),
            "models": {role: _placed_model(model) for role, model in self.models.items()},
            "memory": self.memory if self.memory in {"run", "none"} or is_url(self.memory) else _absolute(self.memory),
            "embedder": f"{kind}{colon}{_existing(folder)}" if kind == "minilm" else self.embedder,
        }
        return self.model_copy(update=places)

    def what_differs(self, other: RunSpec) -> dict[str, tuple[Any, Any]]:
        """Fields that decide about results and differ: name to (this, other). Two paths of one file do not."""
        mine, theirs = self.placed().dump(), other.placed().dump()
        return {key: (mine[key], theirs[key]) for key in mine if mine[key] != theirs[key] and key not in _HARMLESS}


_HARMLESS = frozenset(
    {"out", "base_url", "client", "concurrency", "max_calls", "timeout_s", "skip_bad", "workers", "executor"}
)


def merged(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a spec with others put over them, mappings key by key."""
    found = dict(values)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = {**found[key], **value} if both else value
    return found


def _placed_model(name: str) -> str:
    kind, slash, place = name.partition("/")
    return f"{kind}/{_existing(place)}" if slash and kind in {"script", "replay", "llamacpp"} else name


def _existing(place: str) -> str:
    """The absolute path of what is there; anything else as it is, for whoever opens it to complain about."""
    return _absolute(place) if place and Path(place).exists() else place


def _absolute(place: str) -> str:
    # Not `resolve`: what a link is called may decide about the id of a persona.
    return os.path.normpath(Path(place).absolute())


def _explained(error: ValidationError, where: str | None) -> InputError:
    first = error.errors()[0]
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(field, RunSpec.model_fields, n=1)
        fix = f"did you mean `{near[0]}`?" if near else f"use one of: {', '.join(RunSpec.model_fields)}"
        return InputError("is no field of a RunSpec.", file=where, field=field, fix=fix)
    problem = _PROBLEMS.get(first["type"], "{msg}").format(msg=first["msg"], **first.get("ctx", {}))
    problem = f"{problem} (got {first['input']!r})." if field else f"{problem}."
    fix = _FORMS.get(field, "correct the value; see docs/running.md")
    return InputError(problem, file=where, field=field or None, fix=fix)


_PROBLEMS = {
    "value_error": "{error}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "bool_parsing": "must be true or false",
    "literal_error": "must be {expected}",
    "string_type": "must be a text",
    "string_pattern_mismatch": "is written in another form",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
}
_FORMS = {
    "language": "give a code such as `en` or `pt-BR`",
    "locale": "give the two capital letters of a country, such as US or GB",
    "opens": "give `counselor` or `client`",
    "layers": "give a list such as [rules, learned]",
    "roles": "give a list of names",
}
