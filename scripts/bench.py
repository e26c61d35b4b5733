"""Figures of the release binary, from one run. Says how loaded the machine was: compare figures of one run only.

usage: bench.py VESTIBULE ARGON2ID HELLO
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
    binary, argon2id, hello = sys.argv[1:4]
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
        requests_with_tokens(folder, port, hello)
        print(f"memory after that: {memory_mib(server.pid):.1f} MiB")
        server.terminate()
        server.wait(15)
    print(f"load {os.getloadavg()[0]:.2f} after the run")


def requests_with_tokens(folder, port, hello):
    """Reads, verifications and renewals, beside the least that axum can do on the same cores in the same run."""
    hello_port = free_port()
    bar = subprocess.Popen([hello, str(hello_port)])
    try:
        while True:
            try:
                call(hello_port, "GET", "/")
                break
            except OSError:
                continue
        access, _ = tokens(port)
        api = "/api/v1/auth"
        with_bearer = f"wrk.headers['Authorization'] = 'Bearer {access}'"
        with_body = f"wrk.method = 'POST'; wrk.body = '{json.dumps({'token': access})}'; wrk.headers['Content-Type'] = 'application/json'"
        figures = [("a bare axum hello", hello_port, "/", ""), ("GET user/", port, f"{api}/user/", with_bearer),
                   ("POST token/verify/", port, f"{api}/token/verify/", with_body)]
        rates = [(what, wrk(folder, to, path, script)) for what, to, path, script in figures]
        rates.append(("POST token/refresh/", refreshes(folder, port)))
        for what, number in rates:
            print(f"{what}: {number:,.0f}/s ({100 * number / rates[0][1]:.0f} % of hello)")
    finally:
        bar.terminate()
        bar.wait(15)


def refreshes(folder, port):
    """Each connection has a session of its own, and renews it by the token of the last answer."""
    chains = ", ".join(f"'{tokens(port)[1]}'" for _ in range(CLIENTS))
    return wrk(folder, port, "/api/v1/auth/token/refresh/", f"""
local chains, taken = {{{chains}}}, 0
function setup(thread) taken = taken + 1; thread:set("refresh", chains[taken]) end
function request()
  return wrk.format("POST", nil, {{["Content-Type"] = "application/json", ["Host"] = wrk.headers["Host"]}}, '{{"refresh":"' .. refresh .. '"}}')
end
function response(status, headers, body) refresh = body:match('"refresh":"([^"]+)"') or refresh end
""", threads=CLIENTS)


def wrk(folder, port, path, script, threads=2):
    """Requests a second by as many connections as clients; every answer must be 200."""
    file = os.path.join(folder, "wrk.lua")
    with open(file, "w") as lua:
        lua.write(f"wrk.headers['Host'] = 'localhost:{port}'\n{script}\n")
    command = ["wrk", f"-t{threads}", f"-c{CLIENTS}", f"-d{SECONDS}s", "-s", file, f"http://127.0.0.1:{port}{path}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"bench: {path}: {said}")
    return float(said.split("Requests/sec:")[1].split()[0])


def tokens(port):
    _, text, _ = call(port, "POST", "/api/v1/auth/login/", json.dumps({"email": "p0@example.com", "password": PASSWORD}))
    answer = json.loads(text)["tokens"]
    return answer["access"], answer["refresh"]


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
    status, _, _ = call(port, "POST", "/api/v1/auth/verify-email/", json.dumps({"token": token}), headers={"cookie": cookie, "origin": f"http://localhost:{port}"})
    if status != 200:
        sys.exit(f"bench: proof answered {status}")


if __name__ == "__main__":
    main()
