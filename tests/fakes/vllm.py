"""An interpreter that believes it has vLLM, and a model folder that has everything a preflight looks for."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import sys
from pathlib import Path

HERE = Path(__file__).parent


def fake_python(folder: Path, *, version: str = "0.32.0+cpu", gpus: int = 0) -> str:
    """A python with the stand-in for vLLM installed; `gpus` is what its torch counts."""
    package = folder / "site" / "vllm" / "entrypoints" / "openai"
    package.mkdir(parents=True)
    shutil.copy(HERE / "vllm_server.py", package / "api_server.py")
    facts = folder / "site" / f"vllm-{version}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
    (folder / "site" / "torch.py").write_text(f"class cuda:\n    device_count = staticmethod(lambda: {gpus})\n")
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}/site" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return str(python)


def fake_model(folder: Path, *, template: bool = True, context: int = 4096) -> str:
    """A folder that looks like a model."""
    folder.mkdir(parents=True)
    config = {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": context}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ messages }}"} if template else {}))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")
    return str(folder)


def free_ports(count: int = 1) -> int:
    """The first of some ports in a row that are free now, below those that outgoing connections get."""
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        if all(_is_free(each) for each in range(port, port + count)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0
