import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { drawn, leader, panel, press, select, sentence, server, standing, withLeader } from '../page.mjs';

const dialog = (page) => page.getByRole('dialog');
const header = (page, name) => page.getByRole('banner').getByRole('button', { name, exact: true });

/** Presses a button of the export dialog and gives the file that comes of it. */
async function saved(page, name) {
  await header(page, 'Export').click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog(page).getByRole('button', { name, exact: true }).click(),
  ]);
  const path = join(tmpdir(), `zabscope-${process.pid}-${download.suggestedFilename()}`);
  await download.saveAs(path);
  await dialog(page).getByRole('button', { name: 'Close' }).first().click();
  return path;
}

/** The world that `crashed` left: at the beginning all are down. */
const oneDown = (page) =>
  page.waitForFunction(() => document.querySelectorAll('[data-server][data-state="down"]').length === 1);

/** The part below the stage, and its tab of branches and bookmarks. */
const lower = (page) => page.getByRole('region', { name: 'Branches and bookmarks' });
const branches = (page) => page.getByRole('tab', { name: 'Branches', exact: true }).click();

async function crashed(page) {
  const id = await withLeader(page);
  await select(page, id);
  await panel(page, 'Crash').click();
  await drawn(page);
  return standing(page);
}

export const tests = [
  {
    name: 'the gallery shows at least 20 worlds with pictures, and one click opens one',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await header(page, 'Scenarios').click();
      await dialog(page).getByRole('button', { name: /A lock without a herd/ }).waitFor();
      const worlds = dialog(page).getByRole('listitem');
      assert.ok((await worlds.count()) >= 20, `${await worlds.count()} worlds`);
      const bare = await worlds.evaluateAll((all) => all.filter((w) => !w.querySelector('svg .servers *')).length);
      assert.equal(bare, 0, `${bare} worlds have no picture`);
      const { violations } = await new AxeBuilder({ page }).analyze();
      assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(', ')}`), []);
      await dialog(page).getByRole('button', { name: /A tail is cut: TRUNC/ }).click();
      await page.waitForFunction(() => !document.querySelector('dialog'));
      assert.match(await sentence(page).innerText(), /server 5/i);
      assert.equal(await server(page, 4).getAttribute('data-state'), 'leading');
    },
  },
  {
    name: 'a link names a world of the gallery, or a notice says that there is none',
    url: '#world=partition',
    async run({ page, context, url }) {
      await page.locator('[data-server="3"][data-state="leading"]').waitFor();
      const other = await context.newPage();
      await other.goto(`${url}#world=nowhere`);
      await other.getByRole('alert').getByText('There is no such scenario.').waitFor();
      await other.close();
    },
  },
  {
    name: 'JSON, SVG, PNG and diagram each hold the run: imported, it is the same moment',
    url: '#paused',
    limit: 90_000,
    async run({ page, context, url }) {
      const then = await crashed(page);
      const names = ['Run (JSON)', 'Picture (SVG)', 'Picture (PNG)', 'Sequence diagram'];
      for (const name of names) {
        const path = await saved(page, name);
        const other = await context.newPage();
        await other.goto(`${url}#paused`);
        await other.locator('input[type=file]').setInputFiles(path);
        await oneDown(other);
        assert.equal(await standing(other), then, name);
        await other.close();
        if (name.endsWith('(SVG)')) {
          const text = await readFile(path, 'utf8');
          assert.ok(text.includes('--paper') && text.includes('data-server="5"') && !text.includes('<script'));
        }
        if (name === 'Sequence diagram') {
          const text = await readFile(path, 'utf8');
          assert.match(text, /^sequenceDiagram\n/);
          assert.match(text, /S\d->>S\d: NOTIFICATION/);
        }
      }
    },
  },
  {
    name: 'a file that is no run is refused, and the run stays',
    url: '#paused',
    async run({ page }) {
      await withLeader(page);
      const then = await standing(page);
      const path = join(tmpdir(), `zabscope-${process.pid}-bad.png`);
      await writeFile(path, Buffer.from('89504e470d0a1a0affffffff74455874', 'hex'));
      await page.locator('input[type=file]').setInputFiles(path);
      await page.getByRole('alert').waitFor();
      assert.equal(await standing(page), then);
    },
  },
  {
    name: 'embedded, only the stage, the sentence and the controls are there, and they work',
    url: 'embedding.html',
    limit: 60_000,
    async run({ page }) {
      const frame = page.frameLocator('iframe');
      await frame.locator('[data-server="5"]').waitFor();
      await frame.getByRole('status').first().waitFor();
      assert.equal(await frame.getByRole('banner').count(), 0);
      assert.equal(await frame.getByRole('log').count(), 0);
      const before = await frame.getByRole('status').first().innerText();
      await frame.getByRole('button', { name: 'Step', exact: true }).click();
      await page.waitForFunction(
        (said) => document.querySelector('iframe').contentDocument.querySelector('[role=status]').innerText !== said,
        before,
      );
      await frame.getByRole('button', { name: 'Open in zabscope' }).waitFor();
    },
  },
  {
    name: 'what one did is kept: the next visit offers it, and it can be deleted',
    url: '#paused',
    limit: 60_000,
    async run({ page, context, url }) {
      const then = await crashed(page);
      await page.waitForFunction(() => localStorage.getItem('zabscope.run'));
      const next = await context.newPage();
      await next.goto(`${url}#paused`);
      await next.getByRole('button', { name: 'Go on with it' }).click();
      await oneDown(next);
      assert.equal(await standing(next), then);
      const third = await context.newPage();
      await third.goto(`${url}#paused`);
      await third.getByRole('button', { name: 'Delete it' }).click();
      await third.getByRole('button', { name: 'Delete it' }).waitFor({ state: 'detached' });
      assert.equal(await third.evaluate(() => localStorage.getItem('zabscope.run')), null);
    },
  },
  {
    name: 'branches, their names and bookmarks survive a reload, are kept, and are in the file',
    url: '#paused',
    limit: 120_000,
    async run({ page, context, url }) {
      const id = await withLeader(page);
      await branches(page);
      await lower(page).getByRole('button', { name: 'Keep this moment', exact: true }).click();
      await lower(page).getByRole('button', { name: /^Rename \d/ }).click();
      await lower(page).getByRole('textbox', { name: 'Bookmark' }).fill('all is well');
      await lower(page).getByRole('button', { name: 'Apply', exact: true }).click();
      await select(page, id);
      await panel(page, 'Crash').click();
      await drawn(page);
      await press(page, 'Step');
      await lower(page).getByRole('button', { name: 'all is well', exact: true }).click();
      await drawn(page);
      await panel(page, 'Pause this server').click();
      await drawn(page);
      await lower(page).getByRole('button', { name: 'Rename branch 2', exact: true }).click();
      await lower(page).getByRole('textbox', { name: 'Branch' }).fill('only a pause');
      await lower(page).getByRole('button', { name: 'Apply', exact: true }).click();
      const then = await standing(page);
      // What is kept follows a little later than the page.
      await page.waitForFunction(() => (localStorage.getItem('zabscope.run') ?? '').includes('only a pause'));
      const path = await saved(page, 'Run (JSON)');

      const whole = async (other, how) => {
        await drawn(other);
        const current = lower(other).locator('[aria-current="true"]');
        assert.equal((await current.innerText()).trim(), 'only a pause', how);
        assert.equal(await standing(other), then, how);
        await lower(other).getByRole('button', { name: 'main', exact: true }).click();
        await oneDown(other);
        await lower(other).getByRole('button', { name: 'all is well', exact: true }).click();
        await other.locator('[data-server][data-state="leading"]').waitFor();
      };
      const imported = await context.newPage();
      await imported.goto(`${url}#paused`);
      await imported.locator('input[type=file]').setInputFiles(path);
      await branches(imported);
      await lower(imported).getByRole('button', { name: 'only a pause', exact: true }).waitFor();
      await whole(imported, 'imported');
      await imported.close();

      await page.reload();
      await page.locator('[data-server]').first().waitFor();
      await branches(page);
      await lower(page).getByRole('button', { name: 'only a pause', exact: true }).waitFor();
      await whole(page, 'reloaded');
    },
  },
  {
    name: 'the header names the world that is open',
    url: '#world=partition',
    async run({ page }) {
      const title = page.getByRole('banner').locator('.title');
      await page.waitForFunction(() => document.title !== 'zabscope');
      const name = await title.innerText();
      assert.equal(await page.title(), `${name} – zabscope`);
      await page.getByRole('button', { name: '中文' }).click();
      assert.match(await title.innerText(), /[\u4e00-\u9fff]/);
    },
  },
  {
    name: 'after the first load the page works without a network, and can be installed',
    url: '#paused',
    context: { serviceWorkers: 'allow' },
    limit: 90_000,
    async run({ page, context, url }) {
      await page.evaluate(async () => {
        await navigator.serviceWorker.ready;
        const complete = async () => {
          for (const name of await caches.keys()) {
            if (await (await caches.open(name)).match('./')) return true;
          }
          return false;
        };
        while (!(await complete())) await new Promise((done) => setTimeout(done, 100));
      });
      const devtools = await context.newCDPSession(page);
      const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
      // A private window is what the tests run in.
      assert.deepEqual(installabilityErrors.filter((e) => e.errorId !== 'in-incognito'), []);
      await context.setOffline(true);
      const offline = await context.newPage();
      await offline.goto(`${url}#paused`);
      await withLeader(offline);
      assert.equal(await leader(offline).count(), 1);
      await header(offline, 'Scenarios').click();
      await dialog(offline).getByRole('button', { name: /A lock without a herd/ }).waitFor();
      await context.setOffline(false);
    },
  },
];
