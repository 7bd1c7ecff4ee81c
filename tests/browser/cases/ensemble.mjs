import assert from 'node:assert/strict';
import { control, drawn, leader, panel, playUntil, press, select, sentence, server, standing, stepUntil, withLeader } from '../page.mjs';

const paused = '#paused';

export const tests = [
  {
    name: 'five servers look for a leader, one sentence says what one sees, Play and Step are there',
    url: paused,
    async run({ page }) {
      await page.locator('[data-server]').first().waitFor();
      assert.equal(await page.locator('[data-server]').count(), 5);
      assert.match(await sentence(page).innerText(), /server/i);
      for (const name of ['Play', 'Step', 'Back', 'Next phase']) await control(page, name).waitFor();
      await page.getByRole('log').waitFor();
    },
  },
  {
    name: 'something moves within two seconds of the opening',
    async run({ page }) {
      const before = await page.getByRole('log').getByRole('button').count();
      await page.waitForFunction(
        (n) => document.querySelectorAll('[role=log] button').length > n,
        before,
        { timeout: 2_000 },
      );
    },
  },
  {
    name: 'Step leads to a leader, and its name says so',
    url: paused,
    async run({ page }) {
      const id = await withLeader(page);
      assert.equal(id, '5');
      assert.match(await server(page, 5).getAttribute('aria-label'), /^Server 5, leading, epoch 1, last zxid 0x100000000/);
      const log = await page.getByRole('log').innerText();
      assert.match(log, /votes for 5: higher id/);
      assert.match(log, /opens epoch 1/);
    },
  },
  {
    name: 'a crashed leader is replaced, and comes back as a follower of the new epoch',
    url: paused,
    limit: 60_000,
    async run({ page }) {
      const old = await withLeader(page);
      await select(page, old);
      await panel(page, 'Crash').click();
      assert.equal(await server(page, old).getAttribute('data-state'), 'down');
      await playUntil(page, async () => (await leader(page).count()) === 1);
      assert.notEqual(await leader(page).getAttribute('data-server'), old);
      assert.equal(await leader(page).getAttribute('data-epoch'), '2');
      await panel(page, 'Restart').click();
      const back = page.locator(`[data-server="${old}"][data-state="following"][data-phase="broadcast"][data-epoch="2"]`);
      await playUntil(page, async () => (await back.count()) === 1);
    },
  },
  {
    name: 'Back is exact: each moment is again what it was',
    url: paused,
    // Without motion the sentence is there at once, not when the message has arrived.
    context: { reducedMotion: 'reduce' },
    limit: 60_000,
    async run({ page }) {
      const seen = [];
      for (let n = 0; n < 25; n += 1) {
        seen.push([await standing(page), await sentence(page).innerText()]);
        await press(page, 'Step');
      }
      for (const [standingThen, sentenceThen] of seen.reverse()) {
        await press(page, 'Back');
        assert.equal(await standing(page), standingThen);
        assert.equal(await sentence(page).innerText(), sentenceThen);
      }
    },
  },
  {
    name: 'doing something else in the past keeps the old future as a branch that one can return to',
    url: paused,
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      const old = await standing(page);
      await page.keyboard.press('Home');
      await stepUntil(page, async () => (await page.getByRole('log').getByRole('button').count()) > 20);
      await select(page, 5);
      await panel(page, 'Crash').click();
      const branch = page.getByRole('combobox', { name: 'Branch' });
      assert.equal(await branch.locator('option').count(), 2);
      await playUntil(page, async () => (await leader(page).count()) === 1);
      assert.equal(await leader(page).getAttribute('data-server'), '4');
      await branch.selectOption({ label: 'main' });
      await page.keyboard.press('End');
      await page.waitForFunction(() => document.querySelector('[data-server="5"]').dataset.state === 'leading');
      assert.equal(await standing(page), old);
    },
  },
  {
    name: 'a lagging follower answers with the past in under ten clicks, and the page says why that is allowed',
    url: paused,
    limit: 150_000,
    async run({ page }) {
      await withLeader(page);
      let clicks = 0;
      const click = async (locator) => {
        clicks += 1;
        await locator.click();
        await drawn(page);
      };
      await click(page.getByRole('tab', { name: 'Act' }));
      await stepUntil(page, () => panel(page, 'Add two clients').isVisible());
      const play = control(page, 'Play');
      const playing = async () => {
        if (await play.isVisible()) await click(play);
      };
      const log = page.getByRole('log');
      const patience = { timeout: 60_000 };
      await click(panel(page, 'Add two clients'));
      await playing();
      await log.getByText(/Client A has the answer to create/).first().waitFor(patience);
      await click(panel(page, 'Slow the link'));
      await click(panel(page, 'Write at the leader'));
      await playing();
      await log.getByText(/tells client A: setData is done/).first().waitFor(patience);
      await click(panel(page, 'Read at the follower'));
      await playing();
      await log.getByRole('button', { name: /stale by/ }).first().click(patience);
      assert.match(await sentence(page).innerText(), /behind.*Allowed/s);
      assert.ok(clicks < 10, `${clicks} clicks`);
      await page.getByRole('region', { name: 'What happened' }).getByRole('button', { name: 'Why?' }).click();
      await page.getByRole('complementary').getByText('Values compared').waitFor();
    },
  },
];
