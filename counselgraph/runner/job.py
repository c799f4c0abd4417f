"""Jobs: the sessions of a run, each with its persona, its context and the first event of its log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from counselgraph.errors import ConfigError, InputError
from counselgraph.graphs.context import Context
from counselgraph.graphs.course import COURSE_ROLES
from counselgraph.graphs.seats import seats_for
from counselgraph.graphs.state import SessionState, opening_state
from counselgraph.languages import language_name
from counselgraph.models.rehearsal.bank import LANGUAGES
from counselgraph.personas.persona import Persona
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.fork_file import Fork
from counselgraph.runner.log import NOTICE, REHEARSAL_NOTICE, SCHEMA_VERSION, Event
from counselgraph.runner.spec import RunSpec
from counselgraph.safety.screen import languages

_OWN_FORMATS = frozenset({"builtin", "yaml"})
DEFAULT, REHEARSAL, REPLAY, HUMAN = "default", "rehearsal", "replay/", "human"


@dataclass(frozen=True, slots=True)
class Job:
    """One session to play.

    Attributes:
        persona: The whole persona, source record included; the graph gets its client's side and its intake.
        context: Everything else the graph needs.
        fork: Where it goes on from, if not from its beginning.
        course: Whether it is a whole course of sessions; its id is then that of the course.
    """

    persona: Persona
    context: Context
    fork: Fork | None = None
    course: bool = False

    @property
    def id(self) -> str:
        """Session id."""
        return self.context.session

    @property
    def truth(self) -> int | None:
        """Highest risk level the persona was written to show; None where its format does not say."""
        source = self.persona.source
        return self.persona.risk.level if source is None or source.format in _OWN_FORMATS else None

    @property
    def start(self) -> SessionState:
        """What the graph is started with."""
        return opening_state(self.persona)


def jobs_for(persona: Persona, spec: RunSpec, run_id: str) -> Iterator[Job]:
    """One job for each replicate of a persona."""
    for replicate in range(1, spec.replicates + 1):
        session = persona.id if spec.replicates == 1 else f"{persona.id}-r{replicate}"
        context = context_for(spec, persona.id, session, run_id, persona.language, replicate)
        yield Job(persona, context, course=spec.is_course)


def context_for(
    spec: RunSpec, persona_id: str, session: str, run_id: str, language: str, replicate: int = 1
) -> Context:
    """The context of one session of a spec."""
    return Context(
        session=session,
        run=run_id,
        persona=persona_id,
        seed=spec.seed,
        replicate=replicate,
        models={"default": spec.model, **spec.models},
        params=spec.params,
        opens=spec.opens,
        max_exchanges=spec.max_exchanges,
        min_exchanges=spec.min_exchanges,
        call_limit=spec.call_limit,
        token_limit=spec.token_limit,
        language=spec.language or language,
        locale=spec.locale,
        layers=spec.layers,
        protocol=spec.protocol,
        sessions=spec.sessions_per_client if spec.is_course else 1,
    )


def models_named(spec: RunSpec) -> dict[str, str]:
    """Role to model; `default` stands for every role not named, and is left out where no role is left to it."""
    roles = roles_playing(spec)
    default = {} if roles <= set(spec.models) else {DEFAULT: spec.model}
    return {**default, **spec.models}


def roles_playing(spec: RunSpec) -> set[str]:
    """Names of all roles of a run, those between the sessions of a course included.

    Raises:
        ConfigError: A role is unknown or cannot be seated.
    """
    seated = {role.name for role in seats_for(spec.roles).all}
    return seated | set(COURSE_ROLES) if spec.is_course else seated


def is_rehearsed(spec: RunSpec) -> bool:
    """Whether a run holds words of the rehearsal model, those that it replays from other runs included.

    Raises:
        ConfigError: A run that is to be replayed does not say what it is.
    """
    names = set(models_named(spec).values())
    return REHEARSAL in names or any(_was_rehearsed(name) for name in sorted(names) if name.startswith(REPLAY))


def _was_rehearsed(name: str) -> bool:
    source = RunFolder(Path(name.removeprefix(REPLAY)))
    try:
        known = source.read().get("rehearsal")
        return is_rehearsed(source.spec()) if known is None else bool(known)
    except InputError as error:
        raise ConfigError(f"Model `{name}`: {error}") from error


def notices_for(jobs: Iterable[Job], spec: RunSpec) -> Iterator[str]:
    """What a reader should know before the run: languages that parts of it do not speak."""
    rehearsed = REHEARSAL in models_named(spec).values()
    for code in sorted({job.context.language for job in jobs}):
        name = language_name(code)
        if rehearsed and code.partition("-")[0] not in LANGUAGES:
            yield f"The rehearsal model does not speak {name}; its turns are in English."
        if code.partition("-")[0] not in languages():
            yield f"There are no safety rules for {name}; the English ones are run and never lower a level."


def header_of(job: Job, spec: RunSpec, *, rehearsed: bool) -> Event:
    """First event of a session's log: who, with which models, from which seed, and whether it is rehearsal material."""
    persona, models = job.persona, models_named(spec)
    source = persona.source
    return {
        "event": "header",
        "schema_version": SCHEMA_VERSION,
        "role": "run",
        "notice": f"{NOTICE} {REHEARSAL_NOTICE}" if rehearsed else NOTICE,
        "rehearsal": rehearsed,
        "run": job.context.run,
        "persona": {"id": persona.id, "name": persona.name, "attitude": persona.attitude.value},
        "source": None if source is None else source.model_dump(include={"format", "file", "record"}),
        "language": job.context.language,
        "seed": job.context.seed,
        "replicate": job.context.replicate,
        "models": models,
        "roles": list(spec.roles),
        "max_exchanges": spec.max_exchanges,
        **({} if job.fork is None else {"fork": job.fork.link()}),
        **_place_of(job),
    }


def _place_of(job: Job) -> Event:
    """What the header of a course, or of one of its sessions, says beside."""
    context = job.context
    if job.course:
        return {"sessions_planned": context.sessions, "protocol": context.protocol}
    if context.number is None:
        return {}
    since = None if context.since is None else context.since.model_dump(mode="json")
    place = {"number": context.number, "day": context.day, "agenda": context.agenda, "since": since}
    place |= {"carried": context.carried} if context.carried else {}
    return {"course": {"id": course_of(context), **place, "protocol": context.protocol}}


def course_of(context: Context) -> str:
    """Id of the course a session belongs to."""
    return context.session.removesuffix(f"-s{context.number:02d}")
