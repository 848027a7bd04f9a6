// From Chromium over gRPC-Web: a page of another origin reads the rounds.
//
//     WIM_MATCH_SERVER=https://127.0.0.1:50051 WIM_MATCH_TOKEN=... WIM_MATCH_CA=ca.pem npm run test:browser -- 8099
//
// The service has http://localhost:8099 in `cors_origins`. CHROMIUM names the browser, and the test trusts the certificate of WIM_MATCH_CA.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";

const port = Number(process.argv[2]);
const bundled = await build({
  entryPoints: [new URL("page.js", import.meta.url).pathname],
  bundle: true,
  format: "esm",
  write: false,
});
const script = bundled.outputFiles[0].text;
const settings = JSON.stringify({ server: process.env.WIM_MATCH_SERVER, token: process.env.WIM_MATCH_TOKEN });

let report;
const reported = new Promise((done) => (report = done));
const pages = createServer((request, response) => {
  const answer = (type, body) => response.writeHead(200, { "content-type": type }).end(body);
  if (request.url === "/settings") return answer("application/json", settings);
  if (request.url === "/page.js") return answer("text/javascript", script);
  if (request.url !== "/report") return answer("text/html", '<!doctype html><script type="module" src="/page.js"></script>');
  let body = "";
  request.on("data", (part) => (body += part)).on("end", () => (report(JSON.parse(body)), answer("text/plain", "thanks")));
});
await new Promise((listening) => pages.listen(port, "localhost", listening));

const key = new X509Certificate(readFileSync(process.env.WIM_MATCH_CA)).publicKey.export({ type: "spki", format: "der" });
const profile = mkdtempSync(path.join(tmpdir(), "wim-match-browser-"));
const browser = spawn(
  process.env.CHROMIUM ?? "chromium",
  [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    `--user-data-dir=${profile}`,
    `--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`,
    `http://localhost:${port}/`,
  ],
  // A group of its own: Chromium is several processes, which all write into the profile.
  { stdio: ["ignore", "ignore", "pipe"], detached: true },
);
let words = "";
browser.stderr.on("data", (part) => (words += part));
try {
  const late = new Promise((_, fail) => setTimeout(fail, 60_000, new Error(`the page reported nothing\n${words}`)).unref());
  const told = await Promise.race([reported, late]);
  assert.equal(told.failed, undefined);
  assert.ok(told.rounds.length > 0, "the page saw no round");
  assert.deepEqual([told.missing, told.watched, told.stranger], ["NotFound", "NotFound", "Unauthenticated"]);
  console.log(`read ${told.rounds.join(", ")} from Chromium`);
} finally {
  const ended = new Promise((done) => browser.once("exit", done));
  process.kill(-browser.pid, "SIGKILL");
  await ended;
  pages.close();
  pages.closeAllConnections();
  for (let left = 50; ; left--) {
    try {
      rmSync(profile, { recursive: true, force: true });
      break;
    } catch (error) {
      // A process that was killed may still end a write.
      if (left === 0) throw error;
      await new Promise((later) => setTimeout(later, 200));
    }
  }
}
