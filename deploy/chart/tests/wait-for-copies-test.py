#!/usr/bin/env python3
# Copyright the Tagstream authors.
#
# Licensed under the Apache License, Version 2.0; see the LICENSE file.
"""Tests files/wait-for-copies against a server on 127.0.0.1 that stands for the instances."""

import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

SCRIPT = Path(__file__).resolve().parent.parent / "files" / "wait-for-copies"


def run(answers, seconds):
    """How long the script takes with these answers, the last one for ever, what it says, and which paths it asked."""
    asked = []

    class Instance(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(answers[min(len(asked), len(answers)) - 1])
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Instance)
    Thread(target=server.serve_forever, daemon=True).start()
    start = time.monotonic()
    done = subprocess.run(
        ["bash", SCRIPT, str(seconds), "127.0.0.1", str(server.server_port)],
        check=False,
        capture_output=True,
        text=True,
    )
    server.shutdown()
    assert done.returncode == 0, done
    return time.monotonic() - start, done.stdout, asked


took, said, asked = run([200], 60)
assert (said, asked) == ("", ["/health/copies"]), (said, asked)

took, said, asked = run([503, 503, 200], 60)
assert took >= 4 and said == "" and len(asked) == 3, (took, said, asked)

took, said, asked = run([503], 5)
assert 4 <= took < 30 and "not complete after 5 s" in said, (took, said)

start = time.monotonic()
unknown = subprocess.run(
    ["bash", SCRIPT, "3", "no-such-host.invalid", "1"], check=False, capture_output=True, text=True
)
assert unknown.returncode == 0 and "stopping anyway" in unknown.stdout, unknown
print("wait-for-copies goes on at once, waits for the copies, and gives up in time", file=sys.stdout)
