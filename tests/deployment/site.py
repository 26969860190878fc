"""The site of docs/howto/operations/deployment.md: its commands and nginx.conf, on free ports."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.db import connection

from tests.docs.howto import snippets
from tests.docs.running import free_port
from tests.integration.test_channel_layer import REDIS, redis_is_there

ROOT = Path(__file__).resolve().parents[2]
NGINX = (ROOT / "example_project/deployment/nginx.conf").read_text()
HOST = "boards.example"
PATIENCE = 60
COMMANDS = {
    block.body.split()[-1].rpartition(":")[2]: shlex.split(block.body)
    for block in snippets("deployment")
    if block.info == "sh" and block.body.startswith(("gunicorn", "uvicorn"))
}
"""How each process is started, by its port."""
AROUND = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/a; uwsgi_temp_path {folder}/b; scgi_temp_path {folder}/c;
    include {folder}/boards.conf;
}}
"""
CERTIFICATE = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
CERTIFICATE += f" -subj /CN={HOST} -addext subjectAltName=DNS:{HOST},IP:127.0.0.1"


def need_everything() -> None:
    """Skip with a clear word where something is missing that pip does not bring."""
    for tool in ("nginx", "openssl"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} on the PATH")
    if find_spec("gunicorn") is None:
        pytest.skip("no gunicorn in this environment")
    if not redis_is_there():
        pytest.skip("no Redis at TEST_REDIS_URL")


class Site:
    """Its processes; ``kill``, ``stop`` and ``start`` take the port that the page names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {port: str(free_port()) for port in (*COMMANDS, "443")}
        self.url = f"https://{HOST}:{self.ports['443']}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        database = connection.settings_dict
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "example_project.deployment.settings",
            "DATABASE_URL": os.environ["DATABASE_URL"].rsplit("/", 1)[0] + f"/{database['NAME']}",
            "REDIS_URL": REDIS,
            "SECRET_KEY": "the site's",
            "SITE": self.url,
            "PYTHONPATH": str(ROOT),
        }

    @property
    def port(self) -> int:
        return int(self.ports["443"])

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.folder / "boards.pem")

    def start_all(self) -> None:
        asked = [*CERTIFICATE.split(), "-out", "boards.pem", "-keyout", "boards.key"]
        subprocess.run(["openssl", *asked], cwd=self.folder, check=True, capture_output=True)
        (self.folder / "boards.conf").write_text(self._configured())
        (self.folder / "nginx.conf").write_text(AROUND.format(folder=self.folder))
        argv = ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        self.running["443"] = self._started("nginx", [*argv, "-e", str(self.folder / "nginx.log")])
        for port in COMMANDS:
            self.start(port)
        for port in self.ports:
            self.wait_for(port)

    def _configured(self) -> str:
        text = NGINX
        stands = {f"127.0.0.1:{port}": f"127.0.0.1:{self.ports[port]}" for port in COMMANDS}
        stands |= {"listen 443": f"listen 127.0.0.1:{self.port}"}
        stands |= {"/etc/ssl/": f"{self.folder}/"}
        for shown, real in stands.items():
            assert shown in text, f"nginx.conf does not say {shown}"
            text = text.replace(shown, real)
        return text

    def start(self, port: str) -> None:
        name, *options = COMMANDS[port]
        real = [option.replace(port, self.ports[port]) for option in options]
        self.running[port] = self._started(port, [sys.executable, "-m", name, *real])

    def _started(self, name: str, argv: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.out").open("ab") as out:
            return subprocess.Popen(argv, cwd=ROOT, env=self.env, stdout=out, stderr=out)

    def wait_for(self, port: str) -> None:
        """Until somebody listens there."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", int(self.ports[port]))) == 0:
                    return
            assert self.running[port].poll() is None, self.said(port)
            assert time.monotonic() < deadline, f"{port} does not come up: {self.said(port)}"
            time.sleep(0.02)

    def kill(self, port: str) -> None:
        self.running[port].kill()
        self.running[port].wait(PATIENCE)

    def stop(self, port: str) -> float:
        """As a service manager stops it; seconds until it was gone."""
        began = time.monotonic()
        self.running[port].terminate()
        self.running[port].wait(PATIENCE)
        return time.monotonic() - began

    def said(self, port: str) -> str:
        name = "nginx" if port == "443" else port
        return (self.folder / f"{name}.out").read_text()

    def end(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(PATIENCE)
