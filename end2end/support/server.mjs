// Starts the program under test, on a port and in a folder of its own.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A letter in the built-in mailbox.
 * @typedef {{ to: string, subject: string, text: string, html: string, link: string | null, code: string | null }} Letter */

/** A running site.
 * @typedef {object} Site
 * @property {string} url
 * @property {(address: string) => Promise<Letter[]>} letters newest first
 * @property {() => string[]} errors what it logged as an error
 * @property {() => Promise<void>} stop */

/** A port nobody listens on.
 * @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** @param {Record<string, string>} settings @returns {Promise<Site>} */
export async function startSite(settings = {}) {
  const program = process.env.VESTIBULE_BIN;
  if (!program) throw new Error("VESTIBULE_BIN must be the path of the program to test.");
  const folder = await mkdtemp(join(tmpdir(), "vestibule-e2e-"));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  // A clean environment and an empty folder: no setting of this machine reaches the program.
  const child = spawn(program, ["serve"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      VESTIBULE_LISTEN: `127.0.0.1:${port}`,
      VESTIBULE_PUBLIC_URL: url,
      VESTIBULE_DATA_DIR: folder,
      VESTIBULE_RATE_LIMITS: "off",
      VESTIBULE_HASH_MEMORY_KIB: "1024",
      VESTIBULE_HASH_ITERATIONS: "1",
      VESTIBULE_LOG: "warn",
      VESTIBULE_LOG_FORMAT: "text",
      ...settings,
    },
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
  let isRunning = true;
  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => {
    const end = () => {
      isRunning = false;
      resolve();
    };
    child.on("exit", end);
    child.on("error", end);
  });

  const stop = async () => {
    if (isRunning) child.kill("SIGTERM");
    const isLate = await Promise.race([ended.then(() => false), pause(3000).then(() => true)]);
    if (isLate) child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const isHealthy = () => fetch(`${url}/healthz`).then((answer) => answer.status === 200, () => false);
  const deadline = Date.now() + 15_000;
  while (!(await isHealthy())) {
    if (!isRunning || Date.now() > deadline) {
      await stop();
      throw new Error(`The program did not start. It said:\n${log}`);
    }
    await pause(20);
  }

  return {
    url,
    stop,
    errors: () => log.split("\n").filter((line) => /\bERROR\b|panicked/.test(line)),
    letters: async (address) => {
      const answer = await fetch(`${url}/dev/mailbox/messages.json?to=${encodeURIComponent(address)}`);
      return answer.json();
    },
  };
}
