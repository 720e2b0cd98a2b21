// What .ci/pages_axe.sh asks of a browser: pages_axe.mjs LIBRARY FLOCKWORK WORK PROVIDER PICTURES.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [, , library, flockwork, work, provider, pictures] = process.argv;
const [data, withX] = [`${work}/data`, `${work}/with-x`];
const require = createRequire(`${library}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(`${library}/axe-core/axe.min.js`, "utf8");
let wrong = 0;
const check = (is, what) => {
  console.log(`${is ? "ok   " : "WRONG"} ${what}`);
  wrong += is ? 0 : 1;
};

// The run may still be starting.
function link(line, of = data) {
  for (let tries = 0; ; tries += 1) {
    try {
      const said = execFileSync(flockwork, ["--data", of, "slack", line], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
      const found = said.match(/https?:\/\/\S*\/keys\/connect\/[\w-]+/);
      if (found) return found[0];
      throw new Error(said);
    } catch (err) {
      if (tries === 60) throw err;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    }
  }
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-background-networking"] });
// axe is put into the page past its policy; everything else is loaded with it.
async function look(name, url, press) {
  for (const [width, colorScheme] of [[390, "light"], [1280, "dark"]]) {
    const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme, javaScriptEnabled: true });
    const page = await context.newPage();
    const refused = [];
    page.on("console", (message) => /Content Security Policy/.test(message.text()) && refused.push(message.text()));
    await page.goto(url);
    if (press) await press(page);
    await page.screenshot({ path: `${pictures}/${name}-${width}.png` });
    const cdp = await context.newCDPSession(page);
    const run = `${axe};axe.run(document,{runOnly:["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]}).then(r=>JSON.stringify(r.violations.map(v=>v.id)))`;
    const { result } = await cdp.send("Runtime.evaluate", { expression: run, awaitPromise: true, returnByValue: true });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    const family = await page.evaluate(() => getComputedStyle(document.body).marginTop);
    check(result.value === "[]", `${name} at ${width}: axe ${result.value}`);
    check(over <= 0, `${name} at ${width}: ${over} px too wide`);
    check(family === "0px" && refused.length === 0, `${name} at ${width}: the style is there ${refused}`);
    await context.close();
  }
}

const bluesky = link("/flock account connect bluesky:apollo.example");
await look("form", bluesky);
await look("wrong", bluesky, async (page) => {
  await page.fill("#password", "hush");
  await page.click("button");
});
await look("no-app", link("/flock account connect x:milton"));
await look("unknown", `${bluesky}x`);
await look("callback", bluesky.replace(/connect\/.*/, "callback"));

// Without scripts, as the page is made for.
const plain = await browser.newContext({ javaScriptEnabled: false });
const page = await plain.newPage();
await page.goto(bluesky);
await page.fill("#password", "hush");
await page.click("button");
check(/four times four/.test(await page.textContent("main")), "without scripts the form is answered with words");
await plain.close();

// Chromium holds the redirect after a form against the policy of the form's page, too.
const network = createServer((_, response) => response.end("the network's page"));
const stranger = createServer((_, response) => response.end("a stranger's page"));
for (const server of [network, stranger]) await new Promise((done) => server.listen(0, "127.0.0.1", done));
const at = (server) => `http://127.0.0.1:${server.address().port}`;
const mastodon = link(`/flock account connect mastodon:iris@example.social ${at(network)}`);
const shown = await fetch(mastodon);
const [text, policy] = [await shown.text(), shown.headers.get("content-security-policy")];
for (const [server, arrives] of [[network, true], [stranger, false]]) {
  const pages = createServer((request, response) => {
    if (request.method === "POST") return response.writeHead(303, { location: `${at(server)}/oauth/authorize` }).end();
    return response.writeHead(200, { "content-type": "text/html", "content-security-policy": policy }).end(text);
  });
  await new Promise((done) => pages.listen(0, "127.0.0.1", done));
  const tab = await browser.newPage();
  await tab.goto(at(pages));
  await tab.click("button", { noWaitAfter: true });
  await tab.waitForTimeout(1000);
  const is = /the network's page|a stranger's page/.test(await tab.textContent("body"));
  check(is === arrives, `the policy ${arrives ? "lets the form out to its network" : "keeps the form from a stranger"}`);
  pages.close();
}
await look("sign-in", mastodon);

// Each way once, in a browser of its own: the second one renews what the first one connected.
const flocks = `${work}/flock`;
mkdirSync(flocks);
writeFileSync(`${flocks}/walk.txt`, "One step.\nAnother step.\nA third step.\nA fourth step.\n");
writeFileSync(
  `${flocks}/flock.toml`,
  'name = "walkers"\nmonthly_cap = "5.00"\n[[sheep]]\nname = "walker"\nbehaviour = "poem"\ncorpus = "walk.txt"\nnetwork = "x"\naccount = "flockbot"\nline = "1m"\n',
);
const seen = async () => (await fetch(`${provider}/seen`)).json();
const asked = { "Sign in on X": "connect", "Sign in on X with OAuth 2.0 instead": "renew" };
for (const [label, command] of Object.entries(asked)) {
  const both = link(`/flock account ${command} x:flockbot`, withX);
  if (command === "connect") await look("x", both);
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(both);
  const form = tab.locator("form", { has: tab.getByRole("button", { name: label, exact: true }) });
  await form.getByRole("checkbox").check();
  await form.getByRole("button").click();
  await tab.waitForURL(/keys\/callback/);
  const said = await tab.textContent("main");
  check(/is connected|has a new key/.test(said), `${label}: ${said.trim().replaceAll(/\s+/g, " ")}`);
  await tab.screenshot({ path: `${pictures}/x-${command}.png` });
  await context.close();
  if (command === "connect") execFileSync(flockwork, ["--data", withX, "flock", "apply", flocks], { stdio: "inherit" });
  const before = (await seen()).length;
  let tries = 0;
  while ((await seen()).length === before && tries < 180) {
    await new Promise((done) => setTimeout(done, 1000));
    tries += 1;
  }
  const posts = await seen();
  check(before < posts.length, `${label}: a post was made with the key: ${posts.at(-1)}`);
}
await browser.close();
network.close();
stranger.close();
process.exit(wrong === 0 ? 0 : 1);
