"""Figures of the release binary, from one run. Says how loaded the machine was: compare figures of one run only.

usage: bench.py VESTIBULE ARGON2ID
"""

import gzip
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PASSWORD = "three unrelated words"
SECONDS = 10
CLIENTS = 8


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(binary, folder, **settings):
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "VESTIBULE_LISTEN": f"127.0.0.1:{port}", "VESTIBULE_PUBLIC_URL": f"http://localhost:{port}",
                   "VESTIBULE_DATA_DIR": folder} | {f"VESTIBULE_{name}": value for name, value in settings.items()}
    began = time.perf_counter()
    server = subprocess.Popen([binary, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            status, _, _ = call(port, "GET", "/register")
            if status == 200:
                return server, port, (time.perf_counter() - began) * 1000
        except OSError:
            if server.poll() is not None or time.perf_counter() - began > 20:
                sys.exit("bench: the server did not start")


def call(port, method, path, body=None, connection=None, headers=()):
    connection = connection or http.client.HTTPConnection("localhost", port, timeout=30)
    connection.request(method, path, body, {"host": f"localhost:{port}", "content-type": "application/json"} | dict(headers))
    response = connection.getresponse()
    return response.status, response.read(), response


def memory_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def rate(seconds, clients, work):
    """Calls a second, by so many clients with a connection each."""
    until, counts = time.monotonic() + seconds, [0] * clients

    def client(at):
        while time.monotonic() < until:
            work(at)
            counts[at] += 1

    threads = [threading.Thread(target=client, args=(at,)) for at in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def main():
    binary, argon2id = sys.argv[1:3]
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} before the run")
    print(f"binary: {os.path.getsize(binary) / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        starts = []
        for at in range(7):
            server, port, milliseconds = start(binary, os.path.join(folder, str(at % 2)))
            starts.append(milliseconds)
            server.terminate()
            server.wait(15)
        print(f"start to first page: median {statistics.median(starts):.0f} ms, of them with a new database {starts[0]:.0f} and {starts[1]:.0f} ms")

        server, port, _ = start(binary, os.path.join(folder, "bench"), RATE_LIMITS="off")
        print(f"idle memory: {memory_mib(server.pid):.1f} MiB")
        for path in ["/", "/register", "/login", "/verify-email"]:
            _, page, _ = call(port, "GET", path)
            print(f"page {path}: {len(page)} bytes, gzip {len(gzip.compress(page))}")
        manifest = json.load(open("target/site/manifest.json"))
        for name in ["app.css", "icon.svg", "islands.js", "frontend.js", "frontend.wasm"]:
            file = os.path.join("target/site", os.path.basename(manifest[name]))
            print(f"asset {name}: {os.path.getsize(file)} bytes, brotli {os.path.getsize(file + '.br')}")

        sign_ups(server, port)
        raw = float(subprocess.run([argon2id, str(SECONDS)], capture_output=True, text=True, check=True).stdout)
        connections = [http.client.HTTPConnection("localhost", port, timeout=30) for _ in range(CLIENTS)]
        body = json.dumps({"email": "p0@example.com", "password": PASSWORD})

        def sign_in(at):
            status, text, _ = call(port, "POST", "/api/v1/auth/login/", body, connections[at])
            if status != 200:
                sys.exit(f"bench: sign-in answered {status}: {text}")

        sign_ins = rate(SECONDS, CLIENTS, sign_in)
        print(f"Argon2id alone: {raw:.1f} hashes/s; sign-ins: {sign_ins:.1f}/s by {CLIENTS} clients ({100 * sign_ins / raw:.0f} % of it)")
        pages = rate(5, CLIENTS, lambda at: call(port, "GET", "/register", None, connections[at]))
        print(f"page /register: {pages:.0f}/s (the Python client is the slower side)")
        print(f"memory after that: {memory_mib(server.pid):.1f} MiB")
        server.terminate()
        server.wait(15)
    print(f"load {os.getloadavg()[0]:.2f} after the run")


def sign_ups(server, port):
    body = {"email": "p0@example.com", "password": PASSWORD, "password_confirm": PASSWORD, "first_name": "P", "last_name": "Q"}
    status, _, response = call(port, "POST", "/api/v1/auth/register/", json.dumps(body))
    if status != 201:
        sys.exit(f"bench: sign-up answered {status}")
    cookie = response.getheader("set-cookie").split(";")[0]
    while True:
        _, text, _ = call(port, "GET", "/dev/mailbox/messages.json?to=p0@example.com")
        if letters := json.loads(text):
            break
    token = letters[0]["link"].split("token=")[1]
    status, _, _ = call(port, "POST", "/api/v1/auth/verify-email/", json.dumps({"token": token}), headers={"cookie": cookie})
    if status != 200:
        sys.exit(f"bench: proof answered {status}")


if __name__ == "__main__":
    main()
