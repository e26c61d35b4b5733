"""Runs the code of the guides in docs/integrate, as it stands there, against a real Vestibule.

Each guide's service gets good tokens and forged ones, before and after a rotation of keys. Between Vestibule and the
services stands an issuer of our own: it publishes Vestibule's keys and some whose private halves are known here, so
that a token may be wrong in one point only, and it counts how often the keys are asked for.

usage: integrations.py PATH-OF-VESTIBULE PATH-OF-RESOURCE-SERVER FOLDER-OF-NODE-MODULES
"""

import base64
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ROOT = Path(__file__).resolve().parent.parent
GUIDES = ROOT / "docs" / "integrate"
PASSWORD = "three unrelated words"
COOKIE = "__Secure-vestibule_access"
PROCESSES = []
CHECKS = 0
FAILED = []


def check(condition, what):
    global CHECKS
    CHECKS += 1
    if not condition:
        FAILED.append(what)
    print("ok:" if condition else "FAILED:", what, flush=True)


def stop_with(what):
    sys.exit(f"integrations: FAILED: {what}")


def until(condition, seconds):
    """What `condition` answers once it is true, or at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


# Servers and requests.


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command, folder, log, **environment):
    base = {"PATH": os.environ["PATH"], "HOME": folder, "PYTHONDONTWRITEBYTECODE": "1"}
    with open(log, "w") as output:
        process = subprocess.Popen(command, cwd=folder, env=base | environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    process.log = log
    PROCESSES.append(process)
    return process


def wait_for(process, port):
    def answers():
        if process.poll() is not None:
            return False
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    if not until(answers, 30):
        stop_with(f"{process.args[0]} did not start: {Path(process.log).read_text()[-2000:]}")


def stop(processes):
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.text = response.status, response.headers, response.read().decode()

    def json(self):
        return json.loads(self.text)


def send(base, method, path, headers=(), body=None):
    """`headers` are pairs, so that a name may come twice."""
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=30)
    headers = list(headers.items()) if isinstance(headers, dict) else list(headers)
    try:
        connection.putrequest(method, path, skip_host=any(name.lower() == "host" for name, _ in headers))
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def serve(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Vestibule:
    def __init__(self, binary, folder, name, public_url=None, **settings):
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.issuer = public_url or self.base
        self.host = ("Host", urlsplit(self.issuer).netloc)
        self.binary, self.folder, self.data = binary, folder, os.path.join(folder, name)
        self.environment = {
            "VESTIBULE_DATA_DIR": self.data,
            "VESTIBULE_LISTEN": f"127.0.0.1:{self.port}",
            "VESTIBULE_PUBLIC_URL": self.issuer,
            "VESTIBULE_RATE_LIMITS": "off",
            "VESTIBULE_HASH_MEMORY_KIB": "64",
            "VESTIBULE_HASH_ITERATIONS": "1",
        } | {f"VESTIBULE_{setting}": value for setting, value in settings.items()}
        self.process = run([binary, "serve"], folder, os.path.join(folder, f"{name}.log"), **self.environment)
        wait_for(self.process, self.port)

    def command(self, *arguments):
        environment = {"PATH": os.environ["PATH"]} | self.environment
        command = [self.binary, *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=30)

    def get(self, path, headers=()):
        return send(self.base, "GET", path, [self.host, *dict(headers).items()])

    def post(self, path, body, headers=()):
        headers = [self.host, ("Content-Type", "application/json"), *dict(headers).items()]
        return send(self.base, "POST", f"/api/v1/auth/{path}", headers, json.dumps(body).encode())

    def expect(self, status, path, body):
        answer = self.post(path, body)
        if answer.status != status:
            stop_with(f"{path}: {answer.status} {answer.text}")
        return answer

    def keys(self):
        return self.get("/.well-known/jwks.json").json()["keys"]

    def check(self, headers):
        return self.get("/api/v1/auth/check/", headers)

    def register(self, address):
        person = {"email": address, "password": PASSWORD, "password_confirm": PASSWORD, "first_name": "Ada", "last_name": "Lovelace"}
        return self.expect(201, "register/", person).json()

    def letter(self, address):
        letters = until(lambda: self.get(f"/dev/mailbox/messages.json?to={address}").json(), 20)
        return letters[0]["link"].split("token=")[1]

    def confirm(self, letter):
        return self.expect(200, "verify-email/", {"token": letter, "password": PASSWORD}).json()

    def sign_up(self, address):
        """The person's id, the token of the letter, and the access token."""
        self.register(address)
        letter = self.letter(address)
        confirmed = self.confirm(letter)
        return confirmed["user"]["id"], letter, confirmed["tokens"]["access"]

    def sign_in(self, address):
        return self.session(address)[0]["access"]

    def session(self, address):
        """The tokens, and the cookies as they are set."""
        answer = self.expect(200, "login/", {"email": address, "password": PASSWORD})
        return answer.json()["tokens"], answer.headers.get_all("Set-Cookie")


# Tokens that are wrong in one point.


def encoded(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def part(value):
    return encoded(json.dumps(value).encode())


def number(value):
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Forger:
    """Keys whose private halves are known, to be published next to Vestibule's."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.ed, self.ec = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
        self.rsa, self.shared = rsa.generate_private_key(65537, 2048), os.urandom(32)
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        point, rsa_numbers = self.ec.public_key().public_numbers(), self.rsa.public_key().public_numbers()
        self.published = [
            {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "ed", "x": encoded(self.ed.public_key().public_bytes(*raw))},
            {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "ec", "x": encoded(point.x.to_bytes(32, "big")), "y": encoded(point.y.to_bytes(32, "big"))},
            {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "rsa", "n": number(rsa_numbers.n), "e": number(rsa_numbers.e)},
            {"kty": "oct", "use": "sig", "alg": "HS256", "kid": "shared", "k": encoded(self.shared)},
        ]

    def token(self, alg="EdDSA", kid=None, typ="at+jwt", without=(), key=None, more=None, **claims):
        key, name = {"EdDSA": (key or self.ed, "ed"), "ES256": (self.ec, "ec"), "RS256": (self.rsa, "rsa"), "HS256": (self.shared, "shared")}[alg]
        now = int(time.time())
        full = {
            "iss": self.issuer, "aud": self.issuer, "sub": "a-person", "sid": "a-session", "jti": "a-token",
            "iat": now, "nbf": now, "exp": now + 300, "user_type": "guest",
        } | claims
        full = {name: value for name, value in full.items() if name not in without}
        return jwt.encode(full, key, algorithm=alg, headers={"typ": typ, "kid": kid or name} | (more or {}))

    def good(self):
        now = int(time.time())
        return {
            "EdDSA by another published key": self.token(),
            "ES256 by another published key": self.token("ES256"),
            "over for less than 30 s": self.token(exp=now - 10),
            "valid in less than 30 s": self.token(nbf=now + 10),
        }

    def wrong(self, kid):
        now = int(time.time())
        other = "https://other.example"
        wrong = {f"without {claim}": self.token(without=[claim]) for claim in ("iss", "aud", "exp", "nbf", "sub", "sid")}
        return wrong | {
            "over for more than 30 s": self.token(exp=now - 40),
            "valid in more than 30 s": self.token(nbf=now + 60),
            "another iss": self.token(iss=other),
            "another aud": self.token(aud=other),
            "typ JWT": self.token(typ="JWT"),
            "no typ": self.token(typ=None),
            "RS256 by a published key": self.token("RS256"),
            "HS256 by a published key": self.token("HS256"),
            "another key than its kid": self.token(kid=kid),
            "an unknown kid": self.token(kid="unknown"),
            "a header that must be understood and is not (crit)": self.token(more={"crit": ["unknown"], "unknown": 1}),
        }


def changed(token, at):
    """Another letter in that place, which changes more than the bits that a last letter has to spare."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at %= len(token)
    return token[:at] + letters[(letters.index(token[at]) + 32) % 64] + token[at + 1 :]


def forged(token, jwk):
    """Made of a good token and the key that everybody can read."""
    head, body, signature = token.split(".")
    header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    public = jwt.PyJWK(jwk).key
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    found = {
        "the last character changed": changed(token, -1),
        "the first of the signature changed": changed(token, len(head) + len(body) + 2),
        "other claims under the signature": f"{head}.{part(claims | {'sub': 'somebody-else'})}.{signature}",
        "no signature": f"{head}.{body}.",
    }
    for name, strange in {"a list": [], "a number": 7, "a kid that is a number": header | {"kid": 7}, "a kid that is null": header | {"kid": None}}.items():
        found[f"as header {name}"] = f"{part(strange)}.{body}.{signature}"
    found["claims that are no JSON"] = f"{head}.{encoded(b'{')}.{signature}"
    found["claims that are a list"] = f"{head}.{part([claims])}.{signature}"
    found["a fourth part"] = f"{token}.{signature}"
    found["4,000 octets of nothing"] = "A" * 4000
    for alg in ("none", "None", "NONE"):
        found[f"alg {alg}"] = f"{part(header | {'alg': alg})}.{body}."
    for name, secret in {"PEM": pem, "x": jwk["x"].encode(), "octets of x": base64.urlsafe_b64decode(jwk["x"] + "==")}.items():
        signed = f"{part(header | {'alg': 'HS256'})}.{body}"
        mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signed.encode(), secret)
        found[f"HS256 with the public key ({name})"] = f"{signed}.{encoded(mac)}"
    return found


class Issuer:
    """Where the services get the keys: Vestibule's and the forger's. Counts, and can be out of order."""

    def __init__(self):
        self.vestibule, self.asked, self.works = None, 0, False
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                if not issuer.works or self.path != "/.well-known/jwks.json":
                    return self.send_error(503)
                body = json.dumps({"keys": issuer.vestibule.keys() + issuer.forger.published}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = serve(Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.forger = Forger(self.url)


# The services of the guides.

BLOCK = re.compile(r"^<!-- (file|append): (\S+) -->\n```\w*\n(.*?)^```$", re.M | re.S)


def blocks(guide):
    found = BLOCK.findall((GUIDES / guide).read_text())
    if not found:
        stop_with(f"{guide} has no code that is named")
    return found


def write(guide, folder):
    os.makedirs(folder, exist_ok=True)
    for kind, name, code in blocks(guide):
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w" if kind == "file" else "a") as file:
            file.write(code)


def start_services(issuer, folder, resource_server, node_home):
    """By name, where each listens."""
    python = sys.executable
    started = {}

    def start(name, command, where, port, **environment):
        log = os.path.join(folder, f"{name}.log")
        started[name] = (run(command, where, log, VESTIBULE_URL=issuer, **environment), port)

    where, port = os.path.join(folder, "django"), free_port()
    os.makedirs(where)
    subprocess.run([python, "-m", "django", "startproject", "shop", "."], cwd=where, check=True, timeout=60)
    write("django.md", where)
    start("Django", [python, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"], where, port)

    where, port = os.path.join(folder, "fastapi"), free_port()
    write("fastapi.md", where)
    start("FastAPI", [python, "-m", "uvicorn", "main:app", "--port", str(port)], where, port)

    where, port = os.path.join(folder, "express"), free_port()
    write("express.md", where)
    os.symlink(os.path.join(node_home, "node_modules"), os.path.join(where, "node_modules"))
    start("Express", ["node", "server.mjs"], where, port, PORT=str(port))

    port = free_port()
    start("axum", [resource_server, issuer, f"127.0.0.1:{port}"], folder, port)

    for process, port in started.values():
        wait_for(process, port)
    return {name: f"http://127.0.0.1:{port}" for name, (_, port) in started.items()}


class Echo(BaseHTTPRequestHandler):
    """Answers what it was sent."""

    def answer(self):
        taken = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        body = json.dumps({"headers": [[name.lower(), value] for name, value in self.headers.items()], "body": taken}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/app.conf;
}}
"""


def start_nginx(vestibule, folder):
    where, port, upstream = os.path.join(folder, "nginx"), free_port(), serve(Echo)
    write("nginx.md", where)
    path = Path(where, "app.conf")
    code = path.read_text()
    for told, ours in {8080: port, 4000: upstream.server_port, 3000: vestibule.port}.items():
        if code.count(f"127.0.0.1:{told}") != 1:
            stop_with(f"nginx.md has port {told} not once")
        code = code.replace(f"127.0.0.1:{told}", f"127.0.0.1:{ours}")
    path.write_text(code)
    Path(where, "nginx.conf").write_text(NGINX.format(folder=where))
    process = run(["nginx", "-p", where, "-c", f"{where}/nginx.conf", "-e", "stderr"], where, os.path.join(folder, "nginx.log"))
    wait_for(process, port)
    return f"http://127.0.0.1:{port}"


# The checks.


def status(base, headers=(), method="GET"):
    return send(base, method, "/me", headers).status


def is_refused(base, headers=(), method="GET"):
    answer = send(base, method, "/me", headers)
    return answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer" and "sub" not in answer.text


def check_service(name, base, person, token, wrong, good):
    answer = send(base, "GET", "/me", bearer(token))
    check(answer.status == 200 and answer.json() == {"sub": person, "user_type": "guest"}, f"{name}: a good token names the person: {answer.status} {answer.text}")
    check(is_refused(base), f"{name}: no token")
    for garbage in ("Bearer", "Bearer ", "Bearer garbage", "Bearer a.b.c", "Bearer é.é.é", "Basic YTpi", f"Basic {token}", token):
        check(is_refused(base, {"Authorization": garbage.encode()}), f"{name}: refuses the header {garbage[:16]!r}")
    check(status(base, {"Authorization": f"bearer {token}"}) == 200, f"{name}: the scheme in small letters")
    for what, each in good.items():
        check(status(base, bearer(each)) == 200, f"{name}: takes {what}")
    for what, each in wrong.items():
        check(is_refused(base, bearer(each)), f"{name}: refuses {what}")
    check_cookie(name, base, token, next(iter(wrong.values())))


def check_cookie(name, base, token, wrong):
    cookie = {"Cookie": f"other=1; {COOKIE}={token}; another=2"}
    check(status(base, cookie) == 200, f"{name}: takes the cookie")
    check(is_refused(base, {"Cookie": f"{COOKIE}={wrong}"}), f"{name}: refuses a wrong token in the cookie")
    check(is_refused(base, cookie | bearer(wrong)), f"{name}: the header counts, not the cookie")
    check(is_refused(base, cookie, "POST"), f"{name}: no change by cookie without Sec-Fetch-Site")
    for site in ("cross-site", "same-site", "none"):
        check(is_refused(base, cookie | {"Sec-Fetch-Site": site}, "POST"), f"{name}: no change by cookie from {site}")
    check(status(base, cookie | {"Sec-Fetch-Site": "same-origin"}, "POST") == 200, f"{name}: a change by cookie from its own page")
    check(status(base, bearer(token) | {"Sec-Fetch-Site": "cross-site"}, "POST") == 200, f"{name}: a change by bearer from anywhere")


def check_hammering(services, issuer, token):
    for name, base in services.items():
        before = issuer.asked
        refused = [is_refused(base, bearer(issuer.forger.token(kid=f"garbage-{at}"))) for at in range(25)]
        asked = issuer.asked - before
        check(all(refused) and asked <= 1, f"{name}: 25 tokens of unknown keys ask for the keys at most once: {asked}")
        check(status(base, bearer(token)) == 200, f"{name}: a good token works as before")


def check_nginx(binary, folder, wrong):
    """In front of a Vestibule as in production, so that the guide's own names hold."""
    settings = {
        "SECRET": encoded(os.urandom(48)), "COOKIE_DOMAIN": "example.com", "EMAIL_VERIFICATION": "off",
        "SMTP_URL": f"smtp://127.0.0.1:{free_port()}", "MAIL_FROM": "account@example.com",
    }
    vestibule = Vestibule(binary, folder, "production", "https://accounts.example.com", **settings)
    base, address = start_nginx(vestibule, folder), "ada@example.com"
    person = vestibule.register(address)["user"]["id"]
    tokens, cookies = vestibule.session(address)
    token = tokens["access"]
    [set_cookie] = [each for each in cookies if each.startswith(f"{COOKIE}={token};")]
    check(all(each in set_cookie for each in ("Domain=example.com", "HttpOnly", "Secure", "SameSite=Lax")), f"VESTIBULE_COOKIE_DOMAIN: the cookie of the guides: {set_cookie.partition(';')[2]}")
    check(vestibule.check({"Cookie": f"{COOKIE}={token}"}).status == 200, "check/: takes the cookie")
    cookie = {"Cookie": f"{COOKIE}={token}"}
    wrong = wrong | forged(token, vestibule.keys()[0])

    def seen(answer):
        named = [pair for pair in answer.json()["headers"] if pair[0].replace("_", "-").startswith("x-auth")] if answer.status == 200 else answer.status
        return sorted(named) if isinstance(named, list) else named

    expected = [["x-auth-email", address], ["x-auth-email-verified", "false"], ["x-auth-user", person], ["x-auth-user-type", "guest"]]
    answer = send(base, "GET", "/")
    check(answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer", f"nginx: no token: {answer.status}")
    for how, headers in {"bearer": bearer(token), "cookie": cookie}.items():
        found = seen(send(base, "GET", "/deep/page?x=1", headers))
        check(found == expected, f"nginx: {how}: {found}")
        lies = [("X-Auth-User", "somebody-else"), ("x-auth-user", "twice"), ("X_Auth_User", "underlined"), ("X-Auth-Email", "e@example.org"), ("X-Auth-User-Type", "host"), ("X-Auth-Email-Verified", "true")]
        found = seen(send(base, "GET", "/", [*lies, *headers.items()]))
        check(found == expected, f"nginx: {how}: a client's own X-Auth headers do not arrive")
    check(send(base, "GET", "/", [*lies]).status == 401, "nginx: X-Auth headers alone sign nobody in")
    check(send(base, "GET", "/", bearer(token) | {"Host": "app.example.com"}).status == 200, "nginx: its own host is another than Vestibule's")
    other = send(vestibule.base, "GET", "/api/v1/auth/check/", bearer(token) | {"Host": "app.example.com"})
    check(other.status == 421, "Vestibule: a request for another host is 421")
    check(send(base, "GET", "/_who", bearer(token)).status == 404, "nginx: nobody outside reaches the sub-request")
    for what, each in wrong.items():
        check(send(base, "GET", "/", bearer(each)).status == 401, f"nginx: refuses {what}")
    answer = send(base, "POST", "/", bearer(token), b"a body")
    check(answer.status == 200 and answer.json()["body"] == "a body", "nginx: a body reaches the service")
    check(send(base, "POST", "/", cookie, b"a body").status == 403, "nginx: no change by cookie without Sec-Fetch-Site")
    for site in ("cross-site", "same-site", "none"):
        check(send(base, "POST", "/", cookie | {"Sec-Fetch-Site": site}, b"").status == 403, f"nginx: no change by cookie from {site}")
    for header in ("Bearer", "Bearer ", "Basic YTpi"):
        lie = cookie | {"Authorization": header, "Sec-Fetch-Site": "cross-site"}
        check(send(base, "POST", "/", lie, b"").status == 403, f"nginx: no change by cookie next to the header {header!r}")
    check(send(base, "POST", "/", cookie | {"Sec-Fetch-Site": "same-origin"}, b"").status == 200, "nginx: a change by cookie from its own page")
    vestibule.post("logout/", {}, bearer(token))
    for how, headers in {"bearer": bearer(token), "cookie": cookie}.items():
        check(send(base, "GET", "/", headers).status == 401, f"nginx: signed out is felt at once by {how}")


def check_general_page(vestibule, person, address, token):
    """What access-tokens.md says of Vestibule itself."""
    page = (GUIDES / "access-tokens.md").read_text()
    told = {name for row in re.findall(r"^\| (`[^|]*`) \| [^|]* \|$", page, re.M) for name in re.findall(r"`(\w+)`", row)}
    claims = jwt.decode(token, options={"verify_signature": False})
    check(told == set(claims), f"the page names the claims of a token: {sorted(told ^ set(claims))}")
    check(claims["iss"] == claims["aud"] == vestibule.issuer and claims["exp"] - claims["iat"] == 300, "iss, aud and five minutes")
    header = jwt.get_unverified_header(token)
    check(set(header) == {"typ", "alg", "kid"} and header["typ"] == "at+jwt", f"the header of a token: {header}")
    answer = vestibule.get("/.well-known/jwks.json")
    check("max-age=300" in answer.headers["Cache-Control"], f"the keys may be kept: {answer.headers['Cache-Control']}")
    answer = vestibule.check(bearer(token))
    named = [answer.headers[name] for name in ("X-Auth-User", "X-Auth-Email", "X-Auth-Email-Verified", "X-Auth-User-Type")]
    check(answer.status == 200 and named == [person, address, "true", "guest"], f"check/: {answer.status} {named}")
    answer = vestibule.post("token/verify/", {"token": token})
    check(answer.status == 200 and answer.json() == {"active": True} | claims, f"token/verify/: {answer.status} {answer.text}")


def check_renewal(vestibule, address):
    _, cookies = vestibule.session(address)
    cookie = {"Cookie": "; ".join(each.partition(";")[0] for each in cookies)}
    for site in ("cross-site", "same-site"):
        answer = vestibule.post("token/refresh/", {}, cookie | {"Sec-Fetch-Site": site})
        check(answer.status == 403, f"token/refresh/: refused to a page that is {site}")
    answer = vestibule.post("token/refresh/", {}, cookie | {"Sec-Fetch-Site": "same-origin"})
    renewed = any(each.startswith("vestibule_access=ey") for each in answer.headers.get_all("Set-Cookie", []))
    check(answer.status == 200 and renewed, "token/refresh/: renews the cookie for a page of its own")


def check_ends(services, vestibule, address):
    """Vestibule feels the end of a session at once, verification by signature at `exp`."""

    def sign_out():
        vestibule.post("logout/", {}, bearer(tokens["access"]))

    def steal():
        following = vestibule.expect(200, "token/refresh/", {"refresh": tokens["refresh"]}).json()["tokens"]
        vestibule.expect(200, "token/refresh/", {"refresh": following["refresh"]})
        vestibule.expect(401, "token/refresh/", {"refresh": tokens["refresh"]})

    def disable():
        check(vestibule.command("user", "disable", address).returncode == 0, "user disable")
        # By another process, so the server may be late.
        until(lambda: vestibule.check(bearer(tokens["access"])).status == 401, 2)

    for what, end in {"a sign-out": sign_out, "a used refresh token that came back": steal, "a disabled account": disable}.items():
        tokens, _ = vestibule.session(address)
        end()
        check(vestibule.check(bearer(tokens["access"])).status == 401, f"check/: {what} is felt at once")
        check(vestibule.post("token/verify/", {"token": tokens["access"]}).status == 401, f"token/verify/: {what} is felt at once")
        for name, base in services.items():
            check(status(base, bearer(tokens["access"])) == 200, f"{name}: {what} is felt at exp")
    vestibule.command("user", "enable", address)


def check_later_confirmation(binary, folder):
    vestibule, address = Vestibule(binary, folder, "optional", EMAIL_VERIFICATION="optional"), "ada@example.com"
    vestibule.register(address)
    old = vestibule.sign_in(address)
    vestibule.confirm(vestibule.letter(address))
    new = vestibule.sign_in(address)
    said = [jwt.decode(token, options={"verify_signature": False})["email_verified"] for token in (old, new)]
    check(said == [False, True], f"an address confirmed later: the next token says so: {said}")
    user = vestibule.get("/api/v1/auth/user/", bearer(old)).json()
    check(user["email_verified"] is True, "an address confirmed later: Vestibule says so at once")
    stop([vestibule.process])


def check_other_secret(services, vestibule, issuer, address, old):
    before = {key["kid"] for key in vestibule.keys()}
    stop([vestibule.process])
    name = os.path.basename(vestibule.data)
    issuer.vestibule = changed = Vestibule(vestibule.binary, vestibule.folder, name, issuer.url, SECRET=encoded(os.urandom(48)))
    check(not before & {key["kid"] for key in changed.keys()}, "another secret: other keys")
    check(changed.check(bearer(old)).status == 401, "another secret: Vestibule refuses tokens made before")
    token = changed.sign_in(address)
    for name, base in services.items():
        check(until(lambda base=base: status(base, bearer(token)) == 200, 15), f"{name}: another secret: takes new tokens")
        check(is_refused(base, bearer(old)), f"{name}: another secret: refuses tokens made before")


def check_rotation(services, vestibule, issuer, address, old):
    def published():
        return [key["kid"] for key in vestibule.keys()]

    [old_kid], asked = published(), issuer.asked if issuer else 0
    rotated = vestibule.command("keys", "rotate")
    check(rotated.returncode == 0, f"keys rotate: {rotated.stderr}")
    kids = until(lambda: len(found := published()) == 2 and found, 10)
    check(kids, f"both keys are published: {kids}")
    [new_kid] = set(kids) - {old_kid}
    listed = vestibule.command("keys", "list").stdout
    check(old_kid in listed and new_kid in listed, "keys list shows both")
    check(jwt.get_unverified_header(vestibule.sign_in(address))["kid"] == old_kid, "the old key signs until the new one may")
    for name, base in services.items():
        check(status(base, bearer(old)) == 200, f"{name}: a token of the old key works after the rotation")
    sign_early(vestibule, new_kid)
    token = until(lambda: jwt.get_unverified_header(found := vestibule.sign_in(address))["kid"] == new_kid and found, 10)
    check(token, "the new key signs")
    if issuer:
        check(issuer.asked == asked, "no service has asked for the keys since the rotation")
    for name, base in services.items():
        check(until(lambda base=base: status(base, bearer(token)) == 200, 15), f"{name}: a token of the new key works, though the old set was kept")
        check(status(base, bearer(old)) == 200, f"{name}: a token of the old key works still")
    if issuer:
        check(issuer.asked == asked + len(services), f"each service asked once: {issuer.asked - asked}")


def sign_early(vestibule, kid):
    """A key signs ten minutes after it was made. That is too long to wait here."""
    database = sqlite3.connect(os.path.join(vestibule.data, "vestibule.db"), timeout=10)
    with database:
        moved = database.execute("UPDATE signing_keys SET signs_from = created_at WHERE id = ?", [kid]).rowcount
    database.close()
    if moved != 1:
        stop_with(f"{moved} keys are named {kid}")


def with_forged_keys(binary, resource_server, node_home, folder):
    """EdDSA, with an issuer whose other keys are known here."""
    issuer = Issuer()
    secret = encoded(os.urandom(48))
    issuer.vestibule = vestibule = Vestibule(binary, folder, "vestibule", issuer.url, SECRET=secret)
    services = start_services(issuer.url, folder, resource_server, node_home)
    address = "ada@example.com"
    person, letter, token = vestibule.sign_up(address)
    check_general_page(vestibule, person, address, token)

    for name, base in services.items():
        check(status(base, bearer(token)) == 503, f"{name}: an issuer out of order is 503, not 401")
    issuer.works = True
    # One that failed to get the keys may wait before it asks again.
    for name, base in services.items():
        check(until(lambda base=base: status(base, bearer(token)) == 200, 15), f"{name}: the issuer works again")

    jwk = vestibule.keys()[0]
    wrong = forged(token, jwk) | {"the token of a letter": letter}
    for name, settings in {"another secret": {}, "the same secret and another URL": {"SECRET": secret}}.items():
        other = Vestibule(binary, folder, name.replace(" ", "-"), **settings)
        _, _, wrong[f"a token of a Vestibule with {name}"] = other.sign_up(address)
        stop([other.process])
    same = jwt.get_unverified_header(wrong["a token of a Vestibule with the same secret and another URL"])["kid"]
    check(same == jwk["kid"], "the same secret makes the same first key")

    check_nginx(binary, folder, wrong)
    wrong |= issuer.forger.wrong(jwk["kid"])
    for name, base in services.items():
        check_service(name, base, person, token, wrong, issuer.forger.good())
    check_hammering(services, issuer, token)
    check_renewal(vestibule, address)
    check_ends(services, vestibule, address)
    check_later_confirmation(binary, folder)
    check_rotation(services, vestibule, issuer, address, vestibule.sign_in(address))
    check_other_secret(services, vestibule, issuer, address, vestibule.sign_in(address))


def with_p256(binary, resource_server, node_home, folder):
    """ES256, with the keys from Vestibule itself."""
    vestibule = Vestibule(binary, folder, "vestibule", SIGNING_ALGORITHM="ES256")
    services = start_services(vestibule.issuer, folder, resource_server, node_home)
    address = "ada@example.com"
    person, letter, token = vestibule.sign_up(address)
    jwk = vestibule.keys()[0]
    check(jwk["alg"] == jwt.get_unverified_header(token)["alg"] == "ES256", "VESTIBULE_SIGNING_ALGORITHM=ES256 signs with ES256")
    wrong = forged(token, jwk) | {"the token of a letter": letter}
    for name, base in services.items():
        check_service(f"{name}, ES256", base, person, token, wrong, {})
    check_rotation({f"{name}, ES256": base for name, base in services.items()}, vestibule, None, address, token)


def compare_axum():
    [(_, name, code)] = blocks("axum.md")
    check(code == (ROOT / name).read_text(), f"axum.md shows {name} as it is")


def main():
    binary, resource_server, node_home = (os.path.abspath(each) for each in sys.argv[1:4])
    # The services are stopped in an orderly end only.
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda number, _: sys.exit(128 + number))
    started = time.monotonic()
    compare_axum()
    for journey in (with_forged_keys, with_p256):
        with tempfile.TemporaryDirectory() as folder:
            try:
                journey(binary, resource_server, node_home, folder)
            finally:
                stop(PROCESSES)
                PROCESSES.clear()
    seconds = round(time.monotonic() - started)
    if FAILED:
        sys.exit(f"integrations: {len(FAILED)} of {CHECKS} checks FAILED in {seconds} s")
    print(f"integrations: {CHECKS} checks passed in {seconds} s (axum, Express, FastAPI, Django, nginx)")


if __name__ == "__main__":
    main()
