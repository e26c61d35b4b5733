"""Runs the program against parts nobody here wrote.

curl alone goes through the whole journey; a real SMTP server (aiosmtpd) receives the letters, whose raw bytes are
checked; an independent JWT library (PyJWT) verifies our access token through the published keys.

usage: outsiders.py PATH-OF-VESTIBULE
"""

import email
import email.policy
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import jwt
from aiosmtpd.controller import Controller

PASSWORD = "three unrelated words"
CHECKS = 0


def check(condition, what):
    global CHECKS
    CHECKS += 1
    if not condition:
        sys.exit(f"outsiders: FAILED: {what}")


class Sink:
    """Keeps each letter as it came over the wire."""

    def __init__(self):
        self.letters = []
        self.arrived = threading.Condition()

    async def handle_DATA(self, server, session, envelope):
        with self.arrived:
            self.letters.append(envelope)
            self.arrived.notify_all()
        return "250 taken"

    def wait_for(self, number):
        with self.arrived:
            check(self.arrived.wait_for(lambda: len(self.letters) >= number, timeout=20), f"{number} letters arrived")
            return self.letters[number - 1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Curl:
    """The program `curl`, with a cookie jar of its own."""

    def __init__(self, base, folder, name):
        self.base, self.jar = base, os.path.join(folder, name)

    def __call__(self, path, *arguments):
        # Whoever keeps cookies says where it comes from.
        command = ["curl", "-sS", "-H", f"Origin: {self.base}", "-b", self.jar, "-c", self.jar, "-w", "\n%{http_code} %{redirect_url}", *arguments, self.base + path]
        output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
        body, _, last = output.rpartition("\n")
        status, _, location = last.partition(" ")
        return int(status), body, location.removeprefix(self.base)

    def json(self, path, body, *arguments):
        status, text, _ = self(path, "-H", "content-type: application/json", "-d", json.dumps(body), *arguments)
        return status, json.loads(text)

    def form(self, path, **fields):
        data = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]
        return self(path, "-H", "accept: text/html", *data)


def start(binary, folder, **settings):
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "VESTIBULE_LISTEN": f"127.0.0.1:{port}",
        "VESTIBULE_PUBLIC_URL": f"http://localhost:{port}",
        "VESTIBULE_DATA_DIR": os.path.join(folder, f"data-{port}"),
    } | {f"VESTIBULE_{name}": value for name, value in settings.items()}
    server = subprocess.Popen([binary, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server, f"http://localhost:{port}"
    server.kill()
    sys.exit("outsiders: FAILED: the server did not start")


def registration(address):
    return {"email": address, "password": PASSWORD, "password_confirm": PASSWORD, "first_name": "<b>Ada</b>", "last_name": "O'Brien"}


def curl_alone(base, folder):
    """Program and person, with nothing but curl and the built-in mailbox."""
    program = Curl(base, folder, "program")
    status, body = program.json("/api/v1/auth/register/", registration("ada@example.com"))
    check(status == 201 and body["email_sent"] is True, f"register: {status} {body}")
    letter = newest_letter(program, "ada@example.com")
    status, body = program.json("/api/v1/auth/verify-email/", {"token": letter["link"].split("token=")[1]})
    check(status == 200 and body["user"]["email_verified"], f"verify-email: {status} {body}")
    access = body["tokens"]["access"]
    bearer = ["-H", f"authorization: Bearer {access}"]
    status, text, _ = Curl(base, folder, "other")("/api/v1/auth/user/", *bearer)
    check(status == 200 and json.loads(text)["email"] == "ada@example.com", f"user by bearer: {status} {text}")
    verify_by_pyjwt(base, access)
    status, _, _ = program("/api/v1/auth/logout/", "-X", "POST")
    check(status == 200, f"logout: {status}")
    status, _, _ = Curl(base, folder, "other")("/api/v1/auth/user/", *bearer)
    check(status == 401, f"the access token is dead at once: {status}")
    status, body = program.json("/api/v1/auth/login/", {"email": "ADA@example.com", "password": PASSWORD})
    check(status == 200, f"login: {status} {body}")

    person = Curl(base, folder, "person")
    typed = {"email": "bob@example.com", "password": PASSWORD, "first_name": "Bob", "last_name": "王"}
    status, _, location = person.form("/register", **typed)
    check((status, location) == (303, "/verify-email"), f"page register: {status} {location}")
    letter = newest_letter(person, "bob@example.com")
    status, _, location = person.form("/verify-email", code=letter["code"])
    check((status, location) == (303, "/account"), f"page verify-email: {status} {location}")
    status, page, _ = person("/account")
    check(status == 200 and "bob@example.com" in page, f"page account: {status}")
    status, _, location = person.form("/logout", confirm="")
    check((status, location) == (303, "/login"), f"page logout: {status} {location}")
    status, _, location = person.form("/login", email="bob@example.com", password=PASSWORD)
    check((status, location) == (303, "/account"), f"page login: {status} {location}")


def newest_letter(curl, address):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        _, text, _ = curl(f"/dev/mailbox/messages.json?to={address}")
        letters = json.loads(text)
        if letters:
            return letters[0]
    sys.exit(f"outsiders: FAILED: no letter to {address}")


def verify_by_pyjwt(base, access):
    keys = jwt.PyJWKClient(f"{base}/.well-known/jwks.json")
    key = keys.get_signing_key_from_jwt(access)
    required = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "auth_time", "amr", "email", "email_verified", "user_type"]
    claims = jwt.decode(access, key.key, algorithms=["EdDSA"], audience=base, issuer=base, options={"require": required})
    check(claims["email"] == "ada@example.com" and claims["email_verified"] is True, f"claims: {claims}")
    check(jwt.get_unverified_header(access)["typ"] == "at+jwt", "the type of the token")
    head, body, signature = access.split(".")
    forged = ".".join([head, body, signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")])
    try:
        jwt.decode(forged, key.key, algorithms=["EdDSA"], audience=base)
        check(False, "a forged token is refused")
    except jwt.InvalidSignatureError:
        check(True, "a forged token is refused")


def letters_over_smtp(binary, folder):
    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings = {"SMTP_URL": f"smtp://127.0.0.1:{controller.port}", "MAIL_FROM": "Vestibule <account@example.org>", "SITE_NAME": "Café Vestibule"}
    server, base = start(binary, folder, **settings)
    try:
        curl = Curl(base, folder, "mail")
        status, body = curl.json("/api/v1/auth/register/", registration("ada@example.com"))
        check(status == 201, f"register: {status} {body}")
        confirm = check_letter(sink.wait_for(1), base)
        code = re.search(r"^(\d{6}) is your Café Vestibule code$", confirm["subject"])
        check(code is not None, f"subject: {confirm['subject']!r}")
        for part in ("text", "html"):
            check(re.findall(r"\b\d{6}\b", re.sub(r"https?://\S+|style=\"[^\"]*\"|#[0-9A-Fa-f]{6}", "", confirm[part])) == [code[1]], f"one code in the {part}")
        link = re.search(r"^(http\S+/verify-email\?token=\S+)$", confirm["text"], re.M)
        check(link is not None and link[1] in confirm["html"], "the same link in both parts")
        status, _, _ = curl(link[1].removeprefix(base), "-H", "accept: text/html")
        check(status == 200, "the link leads to a page")
        status, _ = curl.json("/api/v1/auth/verify-email/", {"code": code[1]})
        check(status == 200, "the code of the letter confirms")
        status, _ = Curl(base, folder, "again").json("/api/v1/auth/register/", registration("ADA@example.com"))
        check(status == 201, "a taken address is answered alike")
        taken = check_letter(sink.wait_for(2), base)
        check(taken["subject"] == "You already have an account at Café Vestibule", f"subject: {taken['subject']!r}")
        check("/login" in taken["text"] and "<b>Ada" not in taken["html"], "no word of a visitor in a letter")
    finally:
        server.terminate()
        server.wait(15)
        controller.stop()


def check_letter(envelope, base):
    raw = envelope.original_content
    check(b"\r" not in raw.replace(b"\r\n", b"") and b"\n" not in raw.replace(b"\r\n", b""), "no bare CR or LF")
    check(max(len(line) for line in raw.split(b"\r\n")) <= 998, "no line over 998 octets (RFC 5322 2.1.1)")
    check(all(byte < 128 for byte in raw), "seven bits only")
    check(len(raw) < 20_000, f"{len(raw)} octets")
    check(envelope.rcpt_tos == ["ada@example.com"] and envelope.mail_from == "account@example.org", "one recipient")
    message = email.message_from_bytes(raw, policy=email.policy.default)
    for name, value in {
        "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply", "MIME-Version": "1.0",
        "From": "Vestibule <account@example.org>", "Reply-To": "Vestibule <account@example.org>", "To": "ada@example.com",
        "Content-Language": "en",
    }.items():
        check(message[name] == value, f"{name}: {message[name]!r}")
    check(re.fullmatch(r"<[0-9a-f-]{36}@example\.org>", message["Message-ID"]) is not None, f"Message-ID: {message['Message-ID']}")
    check(message["Date"] and message["X-Entity-Ref-ID"] and message["List-Unsubscribe"] is None, "the other headers")
    check(message.get_content_type() == "multipart/alternative", "two parts")
    text, html = message.get_payload()
    check((text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html"), "text first, then HTML")
    for part in (text, html):
        check(part["Content-Transfer-Encoding"] in ("quoted-printable", "base64"), "encoded bodies")
    unix = {"text": text.get_content().replace("\r\n", "\n"), "html": html.get_content().replace("\r\n", "\n")}
    found = {"subject": message["Subject"]} | unix
    long_lines = [line for line in found["text"].splitlines() if len(line) > 77 and not line.startswith("http")]
    check(not long_lines, f"text lines under 78 characters: {long_lines}")
    check(re.findall(r"(?:src|href)=\"(?!" + re.escape(base) + ")", found["html"]) == [], "nothing from other hosts")
    return found


def main():
    binary = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        server, base = start(binary, folder)
        try:
            curl_alone(base, folder)
        finally:
            server.terminate()
        check(server.wait(15) == 0, "a stop in order ends with 0")
        letters_over_smtp(binary, folder)
    print(f"outsiders: {CHECKS} checks passed (curl, aiosmtpd, PyJWT)")


if __name__ == "__main__":
    main()
