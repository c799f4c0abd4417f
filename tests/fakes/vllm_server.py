"""Stands in for `vllm.entrypoints.openai.api_server`: lists a model, keeps a worker, and fails as it is told to."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORKER = "import signal, time; {}time.sleep(600)"
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); "


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"object": "list", "data": [{"id": "tiny", "object": "model"}]}).encode()
        self.send_response(200 if self.path == "/v1/models" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--host")
    options.add_argument("--port", type=int)
    given, _ = options.parse_known_args()
    mood = os.environ.get("FAKE_VLLM", "")
    say(f"argv {json.dumps(sys.argv[1:])}")
    say(f"gpus {os.environ.get('CUDA_VISIBLE_DEVICES')} offline {os.environ.get('HF_HUB_OFFLINE')}")
    if mood == "dies":
        say("ValueError: the weights do not fit")
        sys.exit(3)
    if mood == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    work = WORKER.format(STUBBORN if mood == "stubborn" else "")
    subprocess.Popen([sys.executable, "-c", work, "vllm worker"])
    if mood == "slow":
        time.sleep(600)
    ThreadingHTTPServer((given.host, given.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
