// Runs the cases of cases/*.mjs in Chromium against the page at ZABSCOPE_URL and prints the lines that
// `cargo xtask test` counts.
//
//   node run.mjs [part of a test's name]
//
// A case file exports its tests: `export const tests = [{ name, run, … }]`, where `run({ page, context, url,
// browser })` throws when something is not as it should be, and
//   * `context` (optional): what the browser context should be like (Playwright's options), such as a
//     viewport, a colour scheme, reduced motion;
//   * `limit` (optional): the longest that it may take, in ms;
//   * `alone` (optional): nothing else may run meanwhile, because it measures time;
//   * `url` (optional): what comes after the page's address, such as '#…'; null: don't open the page.
// A test also fails if the page wrote an error to the console, threw, or asked for something that failed.

import { mkdir, readdir, rm } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const LIMIT = 60_000;
// A page waits much, for timers and for what is drawn: two at a time use two cores better than one does.
const AT_ONCE = 2;
const here = new URL('.', import.meta.url);
const out = new URL('out/', here);

const url = process.env.ZABSCOPE_URL;
if (!url) {
  console.error('ZABSCOPE_URL must be the address of the page: `cargo xtask test` sets it, or use `cargo xtask run`.');
  process.exit(2);
}

const wanted = process.argv[2] ?? '';
const tests = [];
for (const file of (await readdir(new URL('cases/', here))).filter((name) => name.endsWith('.mjs')).sort()) {
  const cases = await import(new URL(`cases/${file}`, here).href);
  for (const test of cases.tests) {
    tests.push({ ...test, name: `${file.replace(/\.mjs$/, '')}: ${test.name}` });
  }
}
const chosen = tests.filter((test) => test.name.includes(wanted));

await rm(out, { recursive: true, force: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  timeout: 60_000,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

console.log(`\nrunning ${chosen.length} tests`);
const began = performance.now();
let passed = 0;
let failed = 0;
const again = [];
const together = chosen.filter((test) => !test.alone);
await Promise.all(Array.from({ length: AT_ONCE }, () => takeAll(together, first)));
await takeAll(chosen.filter((test) => test.alone), first);
await takeAll(again, second);
// A browser that does not close must not keep us.
await within(10_000, browser.close()).catch((error) => console.log(`closing the browser: ${error.message}`));
const seconds = ((performance.now() - began) / 1000).toFixed(2);
console.log(
  `\ntest result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed; 0 ignored; 0 measured; ` +
    `${tests.length - chosen.length} filtered out; finished in ${seconds}s\n`,
);
process.exit(failed ? 1 : 0);

// Takes tests off a list, one after the other, until none is left.
async function takeAll(tests, run) {
  for (let test = tests.shift(); test; test = tests.shift()) await run(test);
}

async function first(test) {
  const [problem, took] = await timed(test);
  if (!problem) return passes(test, took);
  // Once more, alone, and said so: these tests share a machine with whatever else runs there.
  console.log(`  first attempt of ${test.name}: ${problem}`);
  again.push(test);
}

async function second(test) {
  const [problem, took] = await timed(test);
  if (!problem) return passes(test, took);
  failed += 1;
  console.log(`test ${test.name} ... FAILED (${took} ms)\n${problem.replace(/^/gm, '    ')}`);
}

function passes(test, took) {
  passed += 1;
  console.log(`test ${test.name} ... ok (${took} ms)`);
}

async function timed(test) {
  const started = performance.now();
  const problem = await attempt(test);
  return [problem, Math.round(performance.now() - started)];
}

// Runs one test in a context of its own. Returns what was wrong, if anything.
async function attempt(test) {
  const problems = [];
  let context;
  let page;
  try {
    // What is kept for later must not answer for what is tested now.
    context = await within(LIMIT, browser.newContext({ serviceWorkers: 'block', ...test.context }));
    context.setDefaultTimeout(20_000);
    page = await within(LIMIT, context.newPage());
    watch(page, problems);
    context.on('page', (other) => watch(other, problems));
    if (test.url !== null) {
      await page.goto(url + (test.url ?? ''), { timeout: LIMIT });
    }
    await within(test.limit ?? LIMIT, test.run({ page, context, url, browser }));
    // What the page does last may still go wrong.
    await page.waitForTimeout(50);
  } catch (error) {
    problems.unshift(error.stack ?? String(error));
  }
  if (problems.length > 0 && page) {
    await mkdir(out, { recursive: true });
    const picture = new URL(`${test.name.replace(/[^a-z0-9]+/gi, '-')}.png`, out);
    await page
      .screenshot({ path: picture.pathname, timeout: 10_000 })
      .then(() => problems.push(`picture: tests/browser/out/${picture.pathname.split('/').pop()}`))
      .catch((error) => problems.push(`no picture: ${error.message}`));
  }
  await within(10_000, context?.close()).catch((error) => problems.push(`closing: ${error.message}`));
  return problems.join('\n');
}

// Notes what a visitor would find in the console.
function watch(page, problems) {
  page.on('console', (message) => {
    if (message.type() === 'error') {
      problems.push(`console: ${message.text()} (${message.location().url})`);
    }
  });
  page.on('pageerror', (error) => problems.push(`thrown: ${error.stack ?? error}`));
  page.on('crash', () => problems.push('the page crashed'));
  page.on('requestfailed', (request) => {
    problems.push(`request failed: ${request.url()}: ${request.failure()?.errorText}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) {
      problems.push(`request failed: ${response.url()}: status ${response.status()}`);
    }
  });
}

// Waits for a promise, but not for ever.
async function within(limit, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${limit} ms`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
