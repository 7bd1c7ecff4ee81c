// How the page does under load, in Chromium: `cargo xtask bench web`.
//
// Five servers, eight clients, at least two hundred messages in flight; then what it takes to open a link
// of that run. Numbers are of this machine: say which, and what else it did.

import { cpus, loadavg } from 'node:os';
import { chromium } from 'playwright-core';
import { played, told, watchFrames } from './frames.mjs';
import { crowded } from './load.mjs';

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
await browser.close();
