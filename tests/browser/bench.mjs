// How the page does under load, in Chromium: `cargo xtask bench web`.
//
// Five servers, eight clients, at least two hundred messages in flight; then what it takes to open a link
// of that run. Numbers are of this machine: say which, and what else it did.

import { cpus, loadavg } from 'node:os';
import { chromium } from 'playwright-core';
import { played, told, watchFrames } from './frames.mjs';
import { crowded, long } from './load.mjs';

const url = process.env.ZABSCOPE_URL;
if (!url) {
  console.error('ZABSCOPE_URL must be the address of the page: `cargo xtask bench web` sets it.');
  process.exit(2);
}
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  timeout: 60_000,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});
console.log(`${cpus().length} x ${cpus()[0]?.model.trim()}, load ${loadavg()[0].toFixed(1)}, Chromium ${browser.version()}`);
const viewports = [
  ['phone', { width: 390, height: 844 }],
  ['desktop', { width: 1440, height: 900 }],
  ['large', { width: 2560, height: 1440 }],
];
for (const [name, viewport] of viewports) {
  const context = await browser.newContext({ viewport });
  await context.addInitScript(watchFrames);
  const page = await context.newPage();
  const began = performance.now();
  await page.goto(url + crowded(), { timeout: 60_000 });
  await page.locator('[data-server][data-state="leading"]').waitFor({ timeout: 60_000 });
  console.log(`${name}: open and shown after ${Math.round(performance.now() - began)} ms; ${told(await played(page, 5_000))}`);
  await context.close();
}
{
  // Any moment of fifty thousand events: from the act to the page's having it in its document.
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${url}${long()}`, { timeout: 60_000 });
  await page.waitForFunction(() => Number(document.querySelector('.scrub input')?.max) > 20_000, null, { timeout: 120_000 });
  for (const tab of ['Events', 'Diagram']) {
    await page.locator(`#time-${tab}`).click();
    const { times, megabytes } = await page.evaluate(seeks, 200);
    times.sort((a, b) => a - b);
    const at = (part) => times[Math.floor((times.length - 1) * part)].toFixed(1);
    console.log(`seek, ${tab} open: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms; JavaScript's memory ${megabytes} MB`);
  }
  await page.close();
}
await browser.close();

// In the page: goes to so many random moments by the scrubber.
async function seeks(count) {
  const input = document.querySelector('.scrub input');
  const clock = document.querySelector('.clock');
  const times = [];
  let random = 12345;
  while (times.length < count) {
    random = (random * 1103515245 + 12345) % 2147483648;
    const before = clock.textContent;
    input.value = String(random % Number(input.max));
    const began = performance.now();
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    const limit = began + 1_000;
    while (clock.textContent === before && performance.now() < limit) {
      const { port1, port2 } = new MessageChannel();
      await new Promise((done) => {
        port1.onmessage = done;
        port2.postMessage(0);
      });
    }
    times.push(performance.now() - began);
  }
  return { times, megabytes: Math.round((performance.memory?.usedJSHeapSize ?? 0) / 1e6) };
}
