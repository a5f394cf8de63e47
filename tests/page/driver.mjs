// Drives Chromium for tests in another process: one JSON command a line in, one JSON answer a line out, in order.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const ARGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const WAIT_MS = 110_000; // a machine may be busy

const browser = await chromium.launch({ executablePath: process.argv[2], args: ARGS });
const pages = [];

const commands = {
  // `beside`: a tab in the session of that page.
  async open({ url, width, height, scheme, motion, scale, beside }) {
    const context = pages[beside]?.page.context() ?? await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: motion, deviceScaleFactor: scale, ignoreHTTPSErrors: true, bypassCSP: true });
    if (beside === undefined) for (const path of ["helpers.js", "measure.js"]) await context.addInitScript({ path });
    const page = await context.newPage();
    const faults = [];
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && faults.push(message.text()));
    page.on("pageerror", (error) => faults.push(error.message));
    pages.push({ page, faults });
    await page.goto(url);
    return pages.length - 1;
  },
  eval: ({ page, code }) => pages[page].page.evaluate(code),
  // The first value of `code` that is true to JavaScript.
  async wait({ page, code }) {
    const handle = await pages[page].page.waitForFunction(code, null, { timeout: WAIT_MS, polling: 50 });
    return handle.jsonValue();
  },
  click: ({ page, selector }) => pages[page].page.click(selector, { timeout: WAIT_MS }),
  fill: ({ page, selector, text }) => pages[page].page.fill(selector, text, { timeout: WAIT_MS }),
  screenshot: ({ page, path }) => pages[page].page.screenshot({ path }).then(() => null),
  faults: ({ page }) => pages[page].faults.splice(0),
  close: ({ page }) => pages[page].page.context().close(),
  closeTab: ({ page }) => pages[page].page.close(),
  closeAll: () => Promise.all(browser.contexts().map((context) => context.close())).then(() => null),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...fields } = JSON.parse(line);
  const answer = await Promise.resolve(fields).then(commands[name]).then((value) => ({ value: value ?? null }), (error) => ({ error: error.message }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
