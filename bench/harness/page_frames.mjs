// What a page takes of the main thread of Chromium.
//
//   node page_frames.mjs CHROMIUM FOLDER
//
// It says {} when the browser runs. Then a line {"port", "body", "ready", "warm_up_s", "seconds"} opens a page of that server
// with this HTML, whose modules are those of FOLDER, waits until the JavaScript `ready` is true, and is answered with {"task_ms",
// "frames"}: milliseconds of main thread, and frames drawn, in the seconds after the warm-up.
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";

const { chromium } = createRequire(new URL("../../tests/page/package.json", import.meta.url))("playwright-core");
const [executablePath, folder] = process.argv.slice(2);
// A page that the route below answers counts as one of a public network, which may not reach this machine.
const ARGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-features=LocalNetworkAccessChecks"];

const HEAD = `<!doctype html><meta charset=utf-8><style>body { font: 14px sans-serif }</style>
<script>
  window.frames_drawn = 0;
  const count = () => { window.frames_drawn++; requestAnimationFrame(count); };
  count();
</script>`;

async function look(page, session) {
  const { metrics } = await session.send("Performance.getMetrics");
  const task = metrics.find((metric) => metric.name === "TaskDuration").value * 1000;
  return { task_ms: task, frames: await page.evaluate("frames_drawn") };
}

async function measure(browser, { port, body, ready, warm_up_s, seconds }) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const origin = `http://127.0.0.1:${port}`;
  await page.route(`${origin}/**/*.js`, (route) => route.fulfill({ path: join(folder, basename(route.request().url())) }));
  await page.route(`${origin}/bench`, (route) => route.fulfill({ contentType: "text/html", body: HEAD + body }));
  await page.goto(`${origin}/bench`);
  await page.waitForFunction(ready);
  await page.waitForTimeout(warm_up_s * 1000);
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" }); // CPU time, not the clock
  const before = await look(page, session);
  await page.waitForTimeout(seconds * 1000);
  const after = await look(page, session);
  await page.close();
  return { task_ms: after.task_ms - before.task_ms, frames: after.frames - before.frames };
}

const browser = await chromium.launch({ executablePath, args: ARGS });
process.stdout.write("{}\n");
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await measure(browser, JSON.parse(line)))}\n`);
}
await browser.close();
