// The console in Chromium: a whole round by two people, and every page looked at by machines.
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { FileSystemConfigLoader, HtmlValidate } from "html-validate";

const binary = resolve(process.env.BINARY ?? "../../target/debug/wim-match");
const browserPath = process.env.CHROMIUM ?? execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
const pictures = process.env.PICTURES;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const validator = new HtmlValidate(new FileSystemConfigLoader());
const home = mkdtempSync(join(tmpdir(), "wim-console-"));
if (pictures) mkdirSync(pictures, { recursive: true });

/** Starts the demonstration, and returns the console's address and the people by their handles. */
async function demo() {
  const folder = ["--database", join(home, "demo.sqlite3"), "--report", join(home, "report.html")];
  const child = spawn(binary, ["demo", "--serve", ...folder], { stdio: ["ignore", "pipe", "inherit"] });
  const people = {};
  let origin = "";
  let text = "";
  await new Promise((done, failed) => {
    child.on("exit", (code) => failed(new Error(`the demonstration ended with ${code}`)));
    child.stdout.on("data", (part) => {
      text += part;
      for (const line of text.split("\n")) {
        const [kind, name, token] = line.split(" ");
        if (kind === "console") origin = name;
        if (token?.startsWith("wimm_")) people[name] = token;
      }
      if (origin && Object.keys(people).length === 3) done();
    });
  });
  return { child, origin, people };
}

const { child, origin, people } = await demo();
const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
const breaches = [];

/** A window in which somebody has signed in. */
async function signedIn(handle, options = {}) {
  const context = await browser.newContext({ viewport: { width: 360, height: 780 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (/content security policy|trusted type/i.test(message.text())) breaches.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(origin)) breaches.push(`asks ${request.url()}`);
  });
  await page.goto(`${origin}/sign-in`);
  await page.fill("input[name=token]", people[handle]);
  await page.click("main button[type=submit]");
  assert.equal(new URL(page.url()).pathname, "/", await page.textContent("main"));
  return page;
}

/** Looks at a page by axe, by html-validate, and by its width. */
async function look(page, name) {
  const report = await validator.validateString(await (await page.request.get(page.url())).text());
  const wrong = report.results.flatMap((result) => result.messages).map((one) => `${one.ruleId}: ${one.message} (line ${one.line})`);
  assert.deepEqual([...new Set(wrong)], [], `${name}: html-validate`);
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(width[0] <= width[1], `${name}: ${width[0]} px in a window of ${width[1]}`);
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  const violations = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).slice(0, 3).join(" | ")}`);
  assert.deepEqual(violations, [], `${name}: axe`);
}

async function picture(page, name) {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

/** The whole way of a round by two people, without a script, on a phone. */
async function wholeRound() {
  const rosa = await signedIn("rosa", { javaScriptEnabled: false });
  await rosa.click("text=International mentoring round");
  await rosa.click("main nav >> text=Review the matches");
  await rosa.click("main .rows li h2 a");
  await rosa.click("text=Forbid this pair");
  await rosa.fill("textarea[name=reason]", "They know each other well");
  await rosa.click("main button:has-text('Forbid this pair: costs')");
  assert.match(await rosa.textContent("main"), /Saved\./);
  await rosa.goto(`${origin}/rounds/2027-first/decisions`);
  assert.match(await rosa.textContent("main"), /They know each other well/);
  await rosa.goto(`${origin}/rounds/2027-first`);
  await rosa.click("main button:has-text('Start the run')");
  for (let look = 0; look < 60 && !/Result of run 2/.test(await rosa.textContent("main")); look += 1) {
    await rosa.waitForTimeout(250);
    await rosa.reload();
  }
  await rosa.goto(`${origin}/rounds/2027-first/submission`);
  await rosa.click("main button:has-text('Submit run 2')");
  assert.match(await rosa.textContent("main"), /another coordinator approves it/);
  const amara = await signedIn("amara", { javaScriptEnabled: false });
  await amara.click("text=approve or reject the submitted run");
  await amara.click("main button:has-text('Approve run 2')");
  // Sixteen times by a nervous hand: published once.
  await amara.click("main button:has-text('Publish run 2')");
  assert.match(await amara.textContent("main"), /Published by amara/);
  await Promise.all([rosa.context().close(), amara.context().close()]);
}

const pages = [
  ["home", "/"],
  ["sessions", "/sessions"],
  ["round", "/rounds/2027-first"],
  ["diagnosis", "/rounds/2027-first/diagnosis"],
  ["review", "/rounds/2027-first/runs/1/review?show=all"],
  ["review-empty", "/rounds/2027-first/runs/1/review?organisation=nobody"],
  ["unmatched", "/rounds/2027-first/runs/1/unmatched"],
  ["decisions", "/rounds/2027-first/decisions"],
  ["submission", "/rounds/2027-first/submission"],
  ["mentorships", "/rounds/2027-first/mentorships"],
  ["missing", "/rounds/none"],
];

/** Every page, in every language at one width, in English at both, light and dark. */
async function everyPage() {
  for (const [width, height, scheme] of [[360, 780, "light"], [1280, 900, "dark"], [1280, 900, "light"], [360, 780, "dark"]]) {
    const view = { viewport: { width, height }, colorScheme: scheme, bypassCSP: true };
    const page = await signedIn("rosa", view);
    for (const lang of width === 360 && scheme === "light" ? ["fr", "es", "pt", "en"] : ["en"]) {
      await page.goto(`${origin}/?lang=${lang}`);
      for (const [name, path] of pages) {
        await page.goto(origin + path);
        await look(page, `${name} ${lang} ${width} ${scheme}`);
        if (lang === "en") await picture(page, `${name}-${width}-${scheme}`);
      }
      await page.goto(`${origin}/rounds/2027-first/runs/1/review?show=all`);
      await page.click("main .rows li h2 a");
      await look(page, `pair ${lang}`);
      if (lang === "en") await picture(page, `pair-${width}-${scheme}`);
      await page.goto(page.url().split("#")[0] + "&whatif=forbid");
      await look(page, `what-if ${lang}`);
      if (lang === "en") await picture(page, `what-if-${width}-${scheme}`);
    }
    await page.context().close();
    const manager = await signedIn("maria", view);
    for (const [name, path] of [["home", "/"], ["round", "/rounds/2027-first"], ["enrolment", "/rounds/2027-first/enrolment"], ["mentorships", "/rounds/2027-first/mentorships"], ["denied", "/rounds/2027-first/decisions"]]) {
      await manager.goto(origin + path);
      await look(manager, `manager ${name} ${width} ${scheme}`);
      await picture(manager, `manager-${name}-${width}-${scheme}`);
    }
    await manager.context().close();
  }
}

/** By keyboard alone: the first focus skips to the content, keys move in the queue, and the script breaks no policy. */
async function byKeyboard() {
  const page = await signedIn("amara");
  await page.goto(`${origin}/rounds/2027-first/runs/1/review?show=all`);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.focus("main .rows li h2 a");
  await page.keyboard.press("j");
  const at = () => page.evaluate(() => [...document.querySelectorAll("[data-item]")].findIndex((item) => item.contains(document.activeElement)));
  assert.equal(await at(), 1);
  await page.keyboard.press("k");
  assert.equal(await at(), 0);
  await page.keyboard.press("o");
  await page.waitForURL(/matches/);
  await page.context().close();
}

try {
  const door = await (await browser.newContext()).newPage();
  await door.goto(`${origin}/sign-in`);
  await picture(door, "sign-in-1280-light");
  await wholeRound();
  await byKeyboard();
  await everyPage();
  assert.deepEqual(breaches, [], "the policy of contents");
  console.log("the console passed");
} finally {
  await browser.close();
  child.removeAllListeners("exit");
  child.kill("SIGINT");
  rmSync(home, { recursive: true, force: true });
}
