import assert from 'node:assert/strict';
import { select, server, withLeader } from '../page.mjs';

// What is fetched after the first picture.
const REST = /zabscope-rest-.*\.wasm$/;

export const tests = [
  {
    name: 'the page loads, says what it is and has nothing to complain about',
    async run({ page }) {
      assert.equal(await page.title(), 'zabscope');
      // Only the page's code puts anything but the noscript text into the body.
      await page.locator('body > :not(noscript, script)').first().waitFor({ state: 'attached' });
      assert.equal(await page.locator('body > p[role="alert"]').count(), 0);
    },
  },
  {
    name: 'the election is shown before the rest of the page is here; what one asks for meanwhile is done then',
    url: null,
    async run({ page, url }) {
      let arrive;
      const held = new Promise((done) => (arrive = done));
      await page.route(REST, async (route) => {
        await held;
        await route.continue();
      });
      await page.goto(`${url}#paused`);
      const id = await withLeader(page);
      await select(page, id);
      await page.getByText('On its way…').waitFor();
      await page.keyboard.press('x');
      assert.equal(await server(page, id).getAttribute('data-state'), 'leading');
      // It was asked for that one, whatever is chosen since.
      await page.keyboard.press(id === '1' ? '2' : '1');
      arrive();
      await page.locator(`[data-server="${id}"][data-state="down"]`).waitFor();
      assert.equal(await page.getByText('On its way…').count(), 0);
    },
  },
  {
    name: 'without the rest the page says what is missing, goes on, and can try again',
    url: null,
    async run({ browser, url }) {
      // A context of its own: what fails here on purpose is no problem of the test's.
      const lone = await browser.newContext({ serviceWorkers: 'block' });
      try {
        const other = await lone.newPage();
        let gone = true;
        await other.route(REST, (route) => (gone ? route.abort() : route.continue()));
        await other.goto(`${url}#paused`);
        const alert = other.getByRole('alert').filter({ hasText: 'could not be fetched' });
        await alert.waitFor();
        await withLeader(other);
        // A dialog that can't be shown yet hides neither, and Escape calls it off.
        await other.keyboard.press('?');
        await alert.waitFor();
        await other.keyboard.press('Escape');
        // What the address names is opened when it can be.
        await other.evaluate(() => (location.hash = 'world=discovery'));
        gone = false;
        await other.getByRole('button', { name: 'Try again' }).click();
        await other.getByRole('alert').waitFor({ state: 'detached' });
        await other.locator('[data-server="4"]').waitFor({ state: 'detached' });
        assert.equal(await other.getByRole('dialog').count(), 0);
        await other.getByRole('tab', { name: 'Why?' }).click();
        await other.getByRole('complementary').getByRole('heading').first().waitFor();
      } finally {
        await lone.close();
      }
    },
  },
];
