import assert from 'node:assert/strict';
import { control, leader, panel, select, sentence, standing, stepUntil, withLeader } from '../page.mjs';

/** A fragment that can't be read: a notice says so, and the default world is there. */
const refused = (name, url) => ({
  name: `a link that ${name} leads to a notice and the default world`,
  url,
  async run({ page }) {
    await page.locator('[data-server]').first().waitFor();
    assert.equal(await page.locator('[data-server]').count(), 5);
    assert.ok(await page.getByRole('alert').count(), 'there is no notice');
    assert.ok((await page.getByRole('alert').first().innerText()).length > 20);
  },
});

export const tests = [
  {
    name: 'the address holds the state: opened again it is the same moment of the same run',
    url: '#paused',
    limit: 60_000,
    async run({ page, context, url }) {
      const id = await withLeader(page);
      await select(page, id);
      await panel(page, 'Crash').click();
      await stepUntil(page, async () => /round 2/.test(await page.getByRole('log').innerText()));
      const then = await standing(page);
      await page.waitForFunction(() => location.hash.includes('s=1.'));
      // The address follows a little later than the page.
      await page.waitForTimeout(1_000);
      const fragment = new URL(page.url()).hash;
      assert.ok(fragment.length < 2_048, `${fragment.length} characters`);
      const other = await context.newPage();
      await other.goto(new URL(fragment, url).href);
      await other.locator('[data-server][data-state="down"]').waitFor();
      assert.equal(await standing(other), then);
      await other.close();
    },
  },
  refused('is damaged', '#s=1.AAAAdamaged'),
  refused('is of a version we do not know', '#s=99.AAAA'),
  refused('is no text of ours', '#s=1.%00%FF<script>'),
  refused('is very long', `#s=1.${'A'.repeat(100_000)}`),
  {
    name: 'leaving a bad link behind, the page works as ever',
    url: '#s=1.AAAAdamaged',
    async run({ page }) {
      const pause = control(page, 'Pause');
      if (await pause.count()) await pause.click().catch(() => {});
      await stepUntil(page, async () => (await leader(page).count()) === 1);
      assert.match(await sentence(page).innerText(), /\w/);
    },
  },
];
