"""Property-based tests of the JSON API: Schemathesis makes up requests from the OpenAPI document and checks answers.

usage: schemathesis.py PATH-OF-VESTIBULE [--database URL] [--full] [--seed NUMBER]

One run is one server of its own, on one database: SQLite, or that of the URL. The seed decides what is made up.

Start it with `python -I`: it has the name of the package, and Python looks next to a script first.
"""

import argparse
import collections
import contextlib
import itertools
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import hypothesis.strategies
import requests
import schemathesis
import schemathesis.cli
from schemathesis.openapi.checks import RejectedPositiveData

API = "/api/v1/auth"
PASSWORD = "three unrelated words"
# What examples and links of the document have in the place of a code, which only a letter tells.
PLACEHOLDER = "481920"
# In the place of an address that nobody has yet, and of one that has an account.
NEW, KNOWN = "new@example.com", "known@example.com"
# A stateful phase in which one of these never succeeded did not make the journey that it is there for.
JOURNEY = ("register", "verifyEmail", "login", "refresh", "user", "logout")
SLOW_SECONDS = 5
FULL_CALLS = 5_000

# Why a request that the document allows may be refused with 400 all the same: what no JSON Schema can say. Any other
# reason is a fault of the document, or of the server.
UNTELLABLE_FAULTS = {
    "malformed",  # codes and phone numbers are forgiven spaces, hyphens and more; names may have most letters
    "too_common",  # a list of passwords
    "contains_email", "contains_site_name", "mismatch",  # compares two fields
    "incorrect", "exhausted", "unchanged",  # what is in the database
    "read_only",  # may be sent as it is, which differs from person to person
}
UNTELLABLE_CODES = {"token_invalid", "token_expired"}  # what is in the database
# Which fields go together, said in words: a client that signed up needs no address beside its code, and a token no
# code. And that a name has a letter: not every program that reads the document knows letters of other scripts.
UNTELLABLE_OF_FIELDS = {
    ("verifyEmail", "email", "missing"), ("verifyEmail", "code", "missing"), ("verifyEmail", "token", "missing"),
    ("confirmPasswordReset", "email", "missing"), ("confirmPasswordReset", "code", "missing"),
    ("confirmPasswordReset", "token", "missing"),
    *((operation, name, "missing") for operation in ("register", "replaceUser", "changeUser") for name in ("first_name", "last_name")),
}

CONFIG = """
[phases.stateful]
# From sign-up to sign-out are six steps already, with no wrong turn.
max-steps = 20

[phases.stateful.generation]
max-examples = {scenarios}

[phases.fuzzing.generation]
max-examples = {examples}

[checks.negative_data_rejection]
# 413 among them: what is not as described may be longer than anything that is read.
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]

[output.sanitization]
# There are no secrets here, and a command without its token cannot be tried again.
enabled = false
"""


class Server:
    def __init__(self, binary, folder, database):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = pathlib.Path(folder, "log")
        environment = {
            "PATH": os.environ["PATH"],
            "VESTIBULE_DATA_DIR": os.path.join(folder, "data"),
            "VESTIBULE_LISTEN": f"127.0.0.1:{port}",
            "VESTIBULE_PUBLIC_URL": self.url,
            "VESTIBULE_LOG": "warn",
            # A hundred calls a second are what the limits are there to stop, and hashing is slow on purpose.
            "VESTIBULE_RATE_LIMITS": "off",
            "VESTIBULE_HASH_MEMORY_KIB": "64",
            "VESTIBULE_HASH_ITERATIONS": "1",
        } | ({"VESTIBULE_DATABASE_URL": database} if database else {})
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([binary, "serve"], env=environment, stdout=log, stderr=log)

    def wait(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/readyz", timeout=5).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.05)
        sys.exit(f"schemathesis: FAILED: the server did not start\n{self.log.read_text()}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def sign_up(address):
    sent = {"email": address, "password": PASSWORD, "password_confirm": PASSWORD}
    return sent | {"first_name": "Ada", "last_name": "Lovelace"}


class People:
    """Whom the requests are made as. Calls made here are checked as they are made, and not counted."""

    def __init__(self, base):
        self.base = base
        self.numbers = itertools.count(1)
        self.issued = set()
        # The code that each address of ours was confirmed by.
        self.read = {}
        # The one of the document's examples, so that the examples succeed.
        self.access = self.make("ada@example.com")

    def post(self, route, **body):
        return requests.post(f"{self.base}{API}/{route}/", json=body, timeout=SLOW_SECONDS)

    def new_address(self):
        return f"person-{next(self.numbers)}@example.com"

    def make(self, address):
        answer = self.post("register", **sign_up(address))
        assert answer.status_code == 201, answer.text
        code = self.code_to(address)
        answer = self.post("verify-email", email=address, code=code, password=PASSWORD)
        assert answer.status_code == 200, answer.text
        self.read[address] = code
        return self.issue(answer.json()["tokens"]["access"])

    def code_to(self, address):
        """The code of the newest letter to this address, once there is an unread one; None if that has none."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            query = {"to": address}
            answer = requests.get(f"{self.base}/dev/mailbox/messages.json", params=query, timeout=SLOW_SECONDS)
            letter = next(iter(answer.json()), None)
            if letter and letter["code"] != self.read.get(address):
                return letter["code"]
            time.sleep(0.02)
        raise TimeoutError(f"no new letter to {address}")

    def known(self):
        """The address of somebody new."""
        address = self.new_address()
        self.make(address)
        return address

    def forgetful(self):
        """Address and code of somebody who wants to reset a password."""
        address = self.known()
        assert self.post("password/reset", email=address).status_code == 200
        return {"email": address, "code": self.code_to(address)}

    def awaits(self, place, address):
        """Whether a link leads here from what sent a letter. A reset sends none to strangers."""
        if not isinstance(address, str):
            return False
        ours = place == ("stateful", "confirmPasswordReset") and address in self.read
        return ours or place == ("stateful", "verifyEmail")

    def issue(self, access):
        self.issued.add(access)
        return access

    def living(self):
        """An access token that works. Many a request ends its own session; then somebody else goes on."""
        if self.post("token/verify", token=self.access).status_code != 200:
            self.access = self.make(self.new_address())
        return self.access


class Counts:
    def __init__(self):
        self.operations = set()
        self.calls = collections.Counter()
        self.successes = collections.Counter()
        self.stateful_successes = collections.Counter()
        self.refusals = collections.Counter()


people = None
counts = Counts()


def operation_of(case):
    return case.operation.definition.raw["operationId"].removesuffix("Alias")


def phase_of(case):
    return case.meta.phase.name.value if case.meta else "probes"


@schemathesis.hook
def before_load_schema(context, raw_schema):
    # The body that a link names is the whole body (OpenAPI 3.1, 4.8.20.1). Schemathesis would add fields of its own,
    # and a good code next to a made-up token is rightly refused.
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            counts.operations.add(operation["operationId"])
            for response in operation["responses"].values():
                for link in response.get("links", {}).values():
                    link["x-schemathesis"] = {"merge_body": False}


@schemathesis.hook
def before_generate_case(context, strategy):
    """Makes many sign-ups and resets plausible. By chance no two passwords are alike, and nobody would ever get in."""
    name = context.operation.definition.raw["operationId"].removesuffix("Alias")
    plausible = {"register": sign_up(NEW), "resetPassword": {"email": KNOWN}}.get(name)
    if not plausible:
        return strategy

    @hypothesis.strategies.composite
    def mixed(draw):
        case, number = draw(strategy), draw(hypothesis.strategies.integers(0, 7))
        if case.meta.generation.mode.is_positive and number > (0 if phase_of(case) == "stateful" else 3):
            case.body = plausible
        return case

    return mixed()


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    """By bearer or by cookie, in turns: the document allows both."""

    turns = itertools.cycle(["bearer", "cookie"])

    def get(self, case, context):
        return people.access

    def set(self, case, access, context):
        if next(self.turns) == "bearer":
            case.headers["Authorization"] = f"Bearer {access}"
        else:
            case.cookies["vestibule_access"] = access
            # Cookies change nothing without saying where they come from.
            case.headers["Origin"] = people.base


@schemathesis.hook
def before_call(context, case, kwargs):
    # The token may be dead by now: requests are made up long before they are sent.
    if case.headers.get("Authorization", "").removeprefix("Bearer ") in people.issued:
        case.headers["Authorization"] = f"Bearer {people.living()}"
    if case.cookies.get("vestibule_access") in people.issued:
        case.cookies["vestibule_access"] = people.living()
    body, place = case.body, (phase_of(case), operation_of(case))
    if not isinstance(body, dict):
        return
    # Not when it is made up: the same request may be sent again, and nobody is new twice.
    if body.get("email") == NEW:
        case.body = body | {"email": people.new_address()}
    elif body.get("email") == KNOWN:
        case.body = body | {"email": people.known()}
    elif body.get("code") == PLACEHOLDER and place == ("examples", "confirmPasswordReset"):
        case.body = body | people.forgetful()
    elif body.get("code") == PLACEHOLDER and people.awaits(place, body.get("email")):
        case.body = body | {"code": people.code_to(body["email"]) or PLACEHOLDER}


@schemathesis.hook
def after_call(context, case, response):
    counts.calls[phase_of(case)] += 1
    if not 200 <= response.status_code < 300:
        return
    name = operation_of(case)
    counts.successes[name] += 1
    if phase_of(case) == "stateful":
        counts.stateful_successes[name] += 1
        # Whoever has got in goes on from here: links cannot say that a token belongs into a header.
        if name in ("verifyEmail", "login", "refresh") and (tokens := response.json().get("tokens")):
            people.access = people.issue(tokens["access"])


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether it is one: see UNTELLABLE_FAULTS."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    error = response.json()["error"]
    faults = [(operation_of(case), field, fault) for field, found in error["codes"].items() for fault in found]
    counts.refusals.update(":".join(fault) for fault in faults)
    tellable = [fault for fault in faults if fault[2] not in UNTELLABLE_FAULTS and fault not in UNTELLABLE_OF_FIELDS]
    return bool(tellable) or (not faults and error["code"] not in UNTELLABLE_CODES)


def run(base, folder, phases, seed, amounts):
    """Schemathesis itself; its exit code."""
    config = pathlib.Path(folder, "schemathesis.toml")
    config.write_text(CONFIG.format(**amounts))
    command = ["--config-file", str(config), "run", f"{base}/api/v1/openapi.json", "--no-color"]
    command += ["--checks", "all", "--max-response-time", str(SLOW_SECONDS), "--continue-on-failure"]
    command += ["--phases", phases, "--seed", str(seed), "--generation-database", "none"]
    try:
        schemathesis.cli.schemathesis(command, standalone_mode=False)
    except SystemExit as end:
        return end.code
    return 0


def run_all(base, folder, seed, full):
    amounts = {"examples": 200, "scenarios": 80} if full else {"examples": 8, "scenarios": 25}
    enough = 1_000 if full else 150
    status = run(base, folder, "examples,coverage,fuzzing,stateful", seed, amounts)
    # The stateful phase ends early, and says nothing of it, when the same request is answered in another way than
    # before: a refresh token renews once, and an address is new once.
    for more in range(1, 10):
        if status or (counts.calls["stateful"] >= enough and not untravelled()):
            break
        status = run(base, folder, "stateful", seed + more, amounts)
    return status


def untravelled():
    return [name for name in JOURNEY if not counts.stateful_successes[name]]


def faults_of_the_run(server, full):
    """What Schemathesis does not check."""
    operations = {operation for operation in counts.operations if not operation.endswith("Alias")}
    for name in sorted(operations - set(counts.successes) if full else ()):
        yield f"`{name}` never succeeded"
    for name in untravelled():
        yield f"`{name}` never succeeded in the stateful phase"
    if full and counts.calls.total() < FULL_CALLS:
        yield f"fewer than {FULL_CALLS} calls"
    if server.process.poll() is not None:
        yield "the server ended"
    for line in server.log.read_text(errors="replace").splitlines():
        if "internal error" in line or "panicked" in line or '"level":"ERROR"' in line:
            yield f"in the log: {line}"


def table(counter):
    return ", ".join(f"{name} {number}" for name, number in counter.most_common())


def main():
    global people
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--database", help="URL of a PostgreSQL, whose schema is empty")
    parser.add_argument("--full", action="store_true", help=f"at least {FULL_CALLS} calls")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    # So that the server is stopped then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A proxy has no way to this machine's own server.
    os.environ["NO_PROXY"] = "127.0.0.1"
    began, binary = time.monotonic(), os.path.abspath(arguments.binary)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(binary, folder, arguments.database)
        try:
            server.wait()
            people = People(server.url)
            # What Schemathesis keeps where it runs would make the next run another.
            with contextlib.chdir(folder):
                status = run_all(server.url, folder, arguments.seed, arguments.full)
            faults = list(faults_of_the_run(server, arguments.full))
        finally:
            server.stop()
    engine, seconds = "PostgreSQL" if arguments.database else "SQLite", f"{time.monotonic() - began:.0f} s"
    print(f"schemathesis: {counts.calls.total()} calls on {engine} in {seconds} ({table(counts.calls)})")
    print(f"schemathesis: 2xx: {table(counts.successes)}")
    print(f"schemathesis: 2xx in the stateful phase: {table(counts.stateful_successes)}")
    print(f"schemathesis: refusals that no schema can tell: {table(counts.refusals)}")
    for fault in faults:
        print(f"schemathesis: FAILED: {fault}")
    if status or faults:
        options = " ".join(["--full"] * arguments.full + [f"--seed {arguments.seed}"])
        sys.exit(f"schemathesis: FAILED on {engine}; again: scripts/schemathesis.sh {options}")
    print(f"schemathesis: found nothing on {engine} (seed {arguments.seed})")


if __name__ == "__main__":
    main()
