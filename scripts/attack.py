#!/usr/bin/env python3
"""What the time of an answer tells of an address. usage: attack.py BINARY [SAMPLES]

Starts the server on SQLite with limits off, makes as many people of each class as there are samples, and asks for each address
once with each verb, the classes interleaved by chance. For each class beside free addresses it prints the medians and the
area under the ROC curve: 0.5 says nothing, 1 and 0 tell all. Its interval is of 95 % (Hanley and McNeil, 1982)."""

import http.client
import json
import math
import os
import pathlib
import random
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

PASSWORD = "three unrelated words"
CLASSES = ["free", "known", "unconfirmed", "disabled"]
# What cannot be told from chance by anybody who does not send thousands of requests.
BAND = (0.45, 0.55)


class Server:
    def __init__(self, binary, folder, **settings):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.binary, self.database = binary, os.path.join(folder, "data", "vestibule.db")
        self.environment = {
            "PATH": os.environ["PATH"],
            "VESTIBULE_DATA_DIR": os.path.join(folder, "data"),
            "VESTIBULE_LISTEN": f"127.0.0.1:{self.port}",
            "VESTIBULE_PUBLIC_URL": f"http://localhost:{self.port}",
            "VESTIBULE_RATE_LIMITS": "off",
            "VESTIBULE_LOG": "error",
        } | {f"VESTIBULE_{name}": value for name, value in settings.items()}
        self.process = subprocess.Popen([binary, "serve"], env=self.environment, stdout=subprocess.DEVNULL)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        deadline = time.monotonic() + 20
        while self.get("/readyz") != 200:
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit("attack: the server did not start")

    def get(self, path):
        try:
            self.connection.request("GET", path, headers={"host": f"localhost:{self.port}"})
            answer = self.connection.getresponse()
            answer.read()
            return answer.status
        except (ConnectionError, http.client.HTTPException):
            self.connection.close()
            return None

    def post(self, route, body):
        """Status, and seconds from the first octet sent to the last one read, on a connection that is open."""
        text = json.dumps(body)
        headers = {"host": f"localhost:{self.port}", "content-type": "application/json"}
        begun = time.perf_counter()
        self.connection.request("POST", f"/api/v1/auth/{route}/", text, headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status, time.perf_counter() - begun

    def command(self, *words, text=None):
        done = subprocess.run([self.binary, *words], env=self.environment, input=text, text=True, capture_output=True)
        if done.returncode != 0:
            sys.exit(f"attack: {' '.join(words)}: {done.stdout}{done.stderr}")


def address(kind, number):
    return f"{kind}.{number}@example.com"


def make_people(server, samples):
    """By import, with a hash as this server makes it."""
    sign_up = {"email": "first@example.com", "password": PASSWORD, "password_confirm": PASSWORD}
    status, _ = server.post("register", sign_up | {"first_name": "A", "last_name": "B"})
    if status != 201:
        sys.exit(f"attack: sign-up answered {status}")
    with sqlite3.connect(server.database) as database:
        [(password_hash,)] = database.execute("SELECT password_hash FROM users")
    lines = [
        json.dumps({"email": address(kind, number), "password_hash": password_hash, "email_verified": kind != "unconfirmed"})
        for kind in CLASSES if kind != "free"
        for number in range(samples)
    ]
    server.command("user", "import", "-", text="\n".join(lines))
    for number in range(samples):
        server.command("user", "disable", address("disabled", number))


def verbs():
    def sign_up(email):
        body = {"email": email, "password": "a password of a stranger", "password_confirm": "a password of a stranger"}
        return "register", body | {"first_name": "A", "last_name": "B"}, 201

    return {
        "sign-in": lambda email: ("login", {"email": email, "password": "neither this one nor that"}, 401),
        "resend": lambda email: ("resend-email", {"email": email}, 200),
        "reset": lambda email: ("password/reset", {"email": email}, 200),
        "sign-up": sign_up,
    }


def measure(server, samples, call):
    times = {kind: [] for kind in CLASSES}
    turns = [(kind, number) for number in range(samples) for kind in random.sample(CLASSES, len(CLASSES))]
    for kind, number in turns:
        route, body, expected = call(address(kind, number))
        status, seconds = server.post(route, body)
        if status != expected:
            sys.exit(f"attack: {route} of {kind} answered {status}")
        times[kind].append(seconds)
    return times


def area(ours, others):
    """Of the ROC curve, and half its interval of 95 %."""
    ranked = sorted([(value, 0) for value in ours] + [(value, 1) for value in others])
    ranks = sum(rank for rank, (_, side) in enumerate(ranked, 1) if side)
    n, m = len(ours), len(others)
    auc = (ranks - m * (m + 1) / 2) / (n * m)
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = (auc * (1 - auc) + (m - 1) * (q1 - auc * auc) + (n - 1) * (q2 - auc * auc)) / (n * m)
    return auc, 1.96 * math.sqrt(variance)


def main():
    binary, samples = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 500
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "data").mkdir(mode=0o700)
        server = Server(binary, folder)
        try:
            make_people(server, samples)
            print(f"{samples} samples of each class, load {os.getloadavg()[0]:.1f}; median in ms, area under the ROC curve beside free")
            outside, certain = 0, 0
            for name, call in verbs().items():
                times = measure(server, samples, call)
                free = times.pop("free")
                print(f"  {name:8} free {statistics.median(free) * 1000:7.3f}")
                for kind, others in times.items():
                    auc, half = area(free, others)
                    is_outside = not BAND[0] <= auc <= BAND[1]
                    outside += is_outside
                    certain += auc - half > BAND[1] or auc + half < BAND[0]
                    note = "  outside" if is_outside else ""
                    print(f"           {kind:12} {statistics.median(others) * 1000:7.3f}  {auc:.3f} ± {half:.3f}{note}")
            print(f"attack: {outside} of 12 outside {BAND[0]} to {BAND[1]}, {certain} of them for certain")
        finally:
            server.process.terminate()
            server.process.wait()
    # An interval that lies wholly outside is no chance.
    sys.exit(1 if certain else 0)


if __name__ == "__main__":
    main()
