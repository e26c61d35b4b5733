"""What sign-ins cost, and what is left for the honest when others flood the service with them. One run, with its load.

usage: flood.py VESTIBULE
"""

import concurrent.futures
import http.client
import itertools
import json
import os
import pathlib
import statistics
import sys
import tempfile
import threading
import time

from attack import Server

PASSWORD = "three unrelated words"
PERSON = "ada@example.com"
NETWORKS, CONNECTIONS_OF_EACH, SECONDS = 120, 3, 20
TICKS = os.sysconf("SC_CLK_TCK")


class Client:
    """From a network of its own: the server takes this machine for a proxy."""

    def __init__(self, port, number):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"host": f"localhost:{port}", "content-type": "application/json",
                        "x-forwarded-for": f"198.{18 + number // 250}.{number % 250}.7"}

    def post(self, route, **fields):
        self.connection.request("POST", f"/api/v1/auth/{route}/", json.dumps(fields), self.headers)
        response = self.connection.getresponse()
        response.read()
        return response.status

    def sign_in(self, email, password):
        return self.post("login", email=email, password=password)


def cpu(server):
    """Of the process until now, in milliseconds."""
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def cost(server, number, email, password, expected, times=100):
    before = cpu(server)
    for client in (Client(server.port, number + at) for at in range(times)):
        status = client.sign_in(email, password)
        client.connection.close()
        if status != expected:
            sys.exit(f"flood: a sign-in answered {status}, not {expected}")
    return (cpu(server) - before) / times


def flood(server, number, count, stop):
    client, tried = Client(server.port, number % NETWORKS), 0
    while not stop.is_set():
        tried += 1
        try:
            status = client.sign_in(f"{number}-{tried}@example.com", "neither this one nor that")
            count[status] = count.get(status, 0) + 1
        except (OSError, http.client.HTTPException):
            client = Client(server.port, number % NETWORKS)


def honest(server, numbers):
    """Signs in every second, each time from the next network, and does not come back when refused. Answers seconds, or None."""
    waits, until = [], time.monotonic() + SECONDS
    while time.monotonic() < until:
        client, began = Client(server.port, next(numbers)), time.monotonic()
        done = client.sign_in(PERSON, PASSWORD) == 200
        waits.append(time.monotonic() - began if done else None)
        client.connection.close()
        time.sleep(max(0, 1 - (time.monotonic() - began)))
    return waits


def told(who, waits):
    done = [wait for wait in waits if wait is not None]
    slowest = f", median {statistics.median(done):.2f} s, slowest {max(done):.2f} s" if done else ""
    return f"  beside it, {who}: {len(done)} of {len(waits)} sign-ins{slowest}"


def under_flood(server, right):
    counts = [{} for _ in range(NETWORKS * CONNECTIONS_OF_EACH)]
    stop, before = threading.Event(), cpu(server)
    threads = [threading.Thread(target=flood, args=(server, *of, stop)) for of in enumerate(counts)]
    for thread in threads:
        thread.start()
    with concurrent.futures.ThreadPoolExecutor() as people:
        regular = people.submit(honest, server, itertools.repeat(600))
        newcomers = people.submit(honest, server, itertools.count(700))
        regular, newcomers = regular.result(), newcomers.result()
    stop.set()
    for thread in threads:
        thread.join()
    total = {status: sum(count.get(status, 0) for count in counts) for status in {s for count in counts for s in count}}
    used = cpu(server) - before - (total.get(401, 0) + len(regular) + len(newcomers)) * right
    print(f"  flood of {len(counts)} connections from {NETWORKS} networks for {SECONDS} s: answers {dict(sorted(total.items()))}")
    print(told("one network that signs in again and again", regular))
    print(told("networks that come once", newcomers))
    refusals = sum(count for status, count in total.items() if status in (429, 503))
    if refusals:
        print(f"  CPU for each refusal, all that is not hashing shared out among them: {used / refusals:.3f} ms")


def main():
    binary = os.path.abspath(sys.argv[1])
    for limits in ("on", "off"):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "data").mkdir(mode=0o700)
            server = Server(binary, folder, EMAIL_VERIFICATION="off", TRUSTED_PROXIES="127.0.0.1", RATE_LIMITS=limits)
            try:
                names = {"first_name": "Ada", "last_name": "Byron"}
                status = Client(server.port, 999).post("register", email=PERSON, password=PASSWORD, password_confirm=PASSWORD, **names)
                if status != 201:
                    sys.exit(f"flood: sign-up answered {status}")
                print(f"limits {limits}, load {os.getloadavg()[0]:.1f}")
                right = cost(server, 0, PERSON, PASSWORD, 200)
                wrong = cost(server, 200, PERSON, "neither this one nor that", 401, times=50)
                unknown = cost(server, 400, "nobody@example.com", "neither this one nor that", 401, times=50)
                print(f"  CPU for each sign-in: right {right:.1f} ms, wrong {wrong:.1f} ms, unknown {unknown:.1f} ms")
                under_flood(server, right)
            finally:
                server.process.terminate()
                server.process.wait()


if __name__ == "__main__":
    main()
