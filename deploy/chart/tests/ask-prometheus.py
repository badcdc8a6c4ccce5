#!/usr/bin/env python3
# Copyright the Tagstream authors.
#
# Licensed under the Apache License, Version 2.0; see the LICENSE file.
"""Asks a Prometheus that scrapes a real `tagstream local` for every metric of the alerts and dashboards.

Needs prometheus, promtool and PyYAML. Metrics of the index feed, which needs a search server, are not asked for.
"""

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

CHART = Path(__file__).resolve().parent.parent
MONITORING = CHART / "monitoring"
PATIENCE_SECONDS = 600
METRIC = re.compile(r"\b(?:up|(?:tagstream|kafka|jvm|process)_\w+)\b(?:\{[^}]*})?")


def expressions():
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for path in sorted((MONITORING / "dashboards").iterdir()):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}, {panel['title']}", target["expr"]


def plain(expression):
    """The expression with what Grafana would put in."""
    return expression.replace("$__rate_interval", "1m").replace("$job", ".*").replace("$instance", ".*")


def selectors():
    """Every metric, with the labels of the expression as far as it chooses time series of other programs' metrics."""
    found = set()
    for _, expression in expressions():
        for selector in METRIC.findall(plain(expression)):
            found.add(re.sub(r"\{.*", "", selector) if selector.startswith("tagstream_") else selector)
    return {selector for selector in found if not selector.startswith("tagstream_index_")}


def free_port():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def query(port, expression):
    address = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(expression)}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.load(answer)["data"]["result"]


def without_series(port):
    try:
        return sorted(selector for selector in selectors() if not query(port, selector))
    except urllib.error.URLError as error:
        if isinstance(error, urllib.error.HTTPError):
            raise
        return ["Prometheus does not answer yet"]


def main(directory):
    metrics, port = free_port(), free_port()
    configuration = directory / "prometheus.yml"
    target = [{"job_name": "tagstream", "static_configs": [{"targets": [f"127.0.0.1:{metrics}"]}]}]
    configuration.write_text(json.dumps({"global": {"scrape_interval": "5s"}, "scrape_configs": target}))
    commands = [
        [CHART.parent / "tagstream", "local", CHART.parent / "samples", "--http-port", str(metrics)],
        [
            "prometheus",
            f"--config.file={configuration}",
            f"--storage.tsdb.path={directory}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
    ]
    running = []
    try:
        for number, command in enumerate(commands):
            with open(directory / f"{number}.log", "w") as log:
                running.append(subprocess.Popen(command, stdout=log, stderr=log))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while missing := without_series(port):
            if time.monotonic() > deadline or any(process.poll() is not None for process in running):
                logs = "".join((directory / f"{number}.log").read_text()[-2000:] for number in range(len(commands)))
                sys.exit(f"{logs}\nask-prometheus: no time series of {', '.join(missing)}")
            time.sleep(5)
        asked = 0
        for where, expression in expressions():
            try:
                query(port, plain(expression))
            except urllib.error.HTTPError as error:
                sys.exit(f"ask-prometheus: {where}: {error.read().decode()}")
            asked += 1
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait()
    print(f"{asked} expressions asked; {len(selectors())} metrics, each with time series")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        main(Path(directory))
