// How the page does under load, in Chromium: `cargo xtask bench web`.
//
// From nothing to the first picture; five servers, eight clients, at least two hundred messages in flight; any
// moment of fifty thousand events, and the diagram of all of them; an hour of virtual time. Numbers are of this
// machine: say which, and what else it did. `cargo xtask size` tells the bytes.

import { cpus, loadavg } from 'node:os';
import { chromium } from 'playwright-core';
import { played, told, watchFrames } from './frames.mjs';
import { crowded, long } from './load.mjs';

const url = process.env.ZABSCOPE_URL;
if (!url) {
  console.error('ZABSCOPE_URL must be the address of the page: `cargo xtask bench web` sets it.');
  process.exit(2);
}
/** More than an hour of heartbeats, in steps. */
const HOUR = 33_000;
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
{
  // A first visit: nothing is kept. The network costs nothing here; `cargo xtask size` says what it carries.
  const shown = [];
  const whole = [];
  for (let n = 0; n < 7; n += 1) {
    const context = await browser.newContext({ serviceWorkers: 'block' });
    const page = await context.newPage();
    const rest = page.waitForEvent('requestfinished', { predicate: (r) => r.url().includes('zabscope-rest-') });
    const began = performance.now();
    await page.goto(url, { timeout: 60_000, waitUntil: 'commit' });
    await page.locator('[data-server]').first().waitFor();
    shown.push(performance.now() - began);
    await rest;
    whole.push(performance.now() - began);
    await context.close();
  }
  const median = (times) => Math.round(times.sort((a, b) => a - b)[3]);
  console.log(`first visit, median of 7: the ensemble is shown after ${median(shown)} ms, all of the page is there after ${median(whole)} ms`);
}
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
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.addInitScript(watchFrames);
  const page = await context.newPage();
  await page.goto(`${url}${long()}`, { timeout: 60_000 });
  await page.waitForFunction(() => Number(document.querySelector('.scrub input')?.max) > 20_000, null, { timeout: 120_000 });
  for (const tab of ['Events', 'Diagram']) {
    await page.locator(`#time-${tab}`).click();
    const times = await page.evaluate(seeks, 200);
    times.sort((a, b) => a - b);
    const at = (part) => times[Math.floor((times.length - 1) * part)].toFixed(1);
    console.log(`seek, ${tab} open: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms; ${await memory(page)}`);
  }
  // At the end of the run, with all of it in the diagram.
  await page.locator('body').press('End');
  const whole = page.getByRole('button', { name: 'The whole run' });
  if (await whole.count()) await whole.click();
  console.log(`diagram of 50,000 events: ${told(await played(page, 5_000))}`);
  await context.close();
}
{
  // An hour in which an ensemble has nothing to do but its heartbeats, from a file.
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${url}#paused`, { timeout: 60_000 });
  const run = { version: 1, setup: { seed: 7 }, actions: [], steps: HOUR };
  await page.locator('input[type=file]').first().setInputFiles({
    name: 'hour.json',
    mimeType: 'application/json',
    buffer: Buffer.from(JSON.stringify(run)),
  });
  const began = performance.now();
  await page.waitForFunction((n) => Number(document.querySelector('.scrub input')?.max) >= n, HOUR, { timeout: 300_000 });
  const took = Math.round(performance.now() - began);
  console.log(`an hour: the clock shows ${await page.locator('.clock').innerText()} after ${HOUR} steps, taken in ${took} ms; ${await memory(page)}`);
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
  return times;
}

/** What the page holds: JavaScript's heap, and WebAssembly's memory, which only grows. */
async function memory(page) {
  const [heap, wasm] = await page.evaluate(async () => {
    const code = document.querySelector('meta[name=zabscope-code]').content;
    const { initSync } = await import(new URL(code, document.baseURI).href);
    return [performance.memory?.usedJSHeapSize ?? 0, initSync().memory.buffer.byteLength];
  });
  return `memory ${Math.round(wasm / 1e6)} MB of WebAssembly, ${Math.round(heap / 1e6)} MB of JavaScript`;
}
