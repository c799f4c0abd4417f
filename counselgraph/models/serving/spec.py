"""What a vLLM server is started with: command and environment of every replica."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from counselgraph.models.serving.model_folder import find_model, trained_context

HOST = "127.0.0.1"
CPU_CONTEXT = 8192

# One engine serves typed answers whole: the guidance backend keeps control characters out of strings, and without
# whitespace of its own a small model cannot spend the answer on blanks.
_STRUCTURED = '{"backend":"guidance","disable_any_whitespace":true}'
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}
_CPU_CACHE_GIB = "2"
_PARALLEL = {"--tensor-parallel-size", "-tp", "--pipeline-parallel-size", "-pp"}


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """One model, served by one or more replicas on this machine.

    Attributes:
        model: Folder of the model, or the name of one in the Hugging Face cache.
        name: What clients call it; by default the folder's name, or the name in the cache.
        port: Port of the first replica; the others take the next ones.
        replicas: Servers to start, each with GPUs of its own.
        python: Interpreter that has vLLM.
        context: Longest prompt plus answer in tokens; by default the model's own, on a CPU at most `CPU_CONTEXT`.
        cpu: Serve on the CPU.
        flags: Further vLLM flags; they win over those recommended here, but not over address, model and name.
    """

    model: str
    name: str = ""
    port: int = 8000
    replicas: int = 1
    python: str = sys.executable
    context: int | None = None
    cpu: bool = False
    flags: tuple[str, ...] = ()

    @property
    def served_name(self) -> str:
        """What clients call the model."""
        return self.name or (Path(self.model).expanduser().resolve().name if self._is_folder else self.model)

    @property
    def ports(self) -> range:
        """One port a replica."""
        return range(self.port, self.port + self.replicas)

    @property
    def base_urls(self) -> tuple[str, ...]:
        """Address of every replica."""
        return tuple(f"http://{HOST}:{port}/v1" for port in self.ports)

    @property
    def gpus_each(self) -> int:
        """GPUs a replica needs, as its flags for parallelism say."""
        return math.prod(_values(self.flags, _PARALLEL))

    def command(self, port: int) -> list[str]:
        """Command line of the replica on a port."""
        return [
            *(self.python, "-m", "vllm.entrypoints.openai.api_server"),
            *("--enable-prefix-caching", "--enable-prompt-tokens-details", "--disable-uvicorn-access-log"),
            *("--structured-outputs-config", _STRUCTURED),
            *self._limits(),
            *self.flags,
            *("--model", str(Path(self.model).expanduser().resolve()) if self._is_folder else self.model),
            *("--served-model-name", self.served_name, "--host", HOST, "--port", str(port)),
        ]

    def environment(self, port: int, gpus: Sequence[str] = (), own: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Environment of the replica on a port: nothing is downloaded or reported.

        Args:
            port: The replica's port.
            gpus: GPUs of this machine that may be used; every replica gets its share.
            own: Environment to start from.
        """
        at = self.ports.index(port)
        if self.cpu:
            return {"VLLM_CPU_KVCACHE_SPACE": _CPU_CACHE_GIB, **self._cores(at), **own, **_OFFLINE}
        share = gpus[at * self.gpus_each : (at + 1) * self.gpus_each]
        return {**own, **_OFFLINE, **({"CUDA_VISIBLE_DEVICES": ",".join(share)} if share else {})}

    @property
    def _is_folder(self) -> bool:
        return Path(self.model).expanduser().is_dir()

    def _limits(self) -> list[str]:
        """Flags for length; on a CPU also those without which the engine does not survive a seeded call."""
        if not self.cpu:
            return [] if self.context is None else ["--max-model-len", str(self.context)]
        folder = find_model(self.model)
        most = trained_context(folder) if folder is not None else None
        context = str(self.context or min(most or CPU_CONTEXT, CPU_CONTEXT))
        # A seeded prompt that is split into chunks kills the engine, and without chunks it must fit one batch.
        return [
            *("--max-model-len", context, "--max-num-batched-tokens", context, "--no-enable-chunked-prefill"),
            *("--enforce-eager", "--dtype", "float32"),
        ]

    def _cores(self, at: int) -> dict[str, str]:
        """Cores of one replica: vLLM binds its threads, and replicas bound to the same cores would share them."""
        cores = sorted(os.sched_getaffinity(0))
        each = len(cores) // self.replicas
        if self.replicas == 1 or not each:
            return {}
        return {"VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores[at * each : (at + 1) * each]))}


def _values(flags: Sequence[str], names: set[str]) -> list[int]:
    """Numbers given for some flags, as `--flag 2` or `--flag=2`."""
    found = [flag.partition("=")[2] for flag in flags if flag.partition("=")[0] in names and "=" in flag]
    found += [value for flag, value in pairwise(flags) if flag in names]
    return [int(value) for value in found if value.isdigit()]
