// The page as somebody knows it who does not see it: roles, names and what is announced, nothing else. No
// selector of ours, no picture, no position.
import assert from 'node:assert/strict';

const button = (page, name) => page.getByRole('button', { name, exact: true });
const status = (page) => page.getByRole('status').first();

/** Presses Step with the keyboard until the announcement says it; tells all that was announced. */
async function heard(page, what, most = 200) {
  const all = [];
  await button(page, 'Step').focus();
  for (let n = 0; n < most; n += 1) {
    all.push(await status(page).innerText());
    if (what.test(all.at(-1))) return all;
    await page.keyboard.press('Enter');
    await page.waitForTimeout(20);
  }
  throw new Error(`not announced: ${what}; the last ones were\n${all.slice(-8).join('\n')}`);
}

export const tests = [
  {
    name: 'without looking: hear an election, crash the leader, hear the others recover',
    url: '#paused',
    limit: 120_000,
    async run({ page }) {
      for (const role of ['banner', 'main', 'complementary']) {
        assert.equal(await page.getByRole(role).count(), 1, `there is no ${role}`);
      }
      const election = await heard(page, /leads now|is established|serves clients/i);
      assert.ok(election.some((said) => /vote/i.test(said)), 'no vote was announced');
      // Who leads stands in the server's name.
      const leads = page.getByRole('button', { name: /^Server \d, leading/ });
      await leads.waitFor();
      const id = /Server (\d)/.exec(await leads.getAttribute('aria-label'))[1];
      await leads.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('tab', { name: `Server ${id}`, selected: true }).waitFor();
      await page.getByRole('complementary').getByRole('button', { name: 'Crash', exact: true }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: new RegExp(`^Server ${id}, down`) }).waitFor();
      assert.match(await status(page).innerText(), new RegExp(`server ${id}`, 'i'));
      await heard(page, /look|election|lost/i);
      await heard(page, /leads now|is established|serves clients/i, 400);
      const now = page.getByRole('button', { name: /^Server \d, leading, epoch 2/ });
      await now.waitFor();
      assert.ok(!(await now.getAttribute('aria-label')).startsWith(`Server ${id},`));
      // What was announced can be read again.
      const log = await page.getByRole('log').innerText();
      assert.ok(log.split('\n').length > 10, log);
    },
  },
  {
    name: 'what was done last is undone by a key, and kept as a branch',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await heard(page, /leads now|is established|serves clients/i);
      const before = await status(page).innerText();
      const leads = page.getByRole('button', { name: /^Server \d, leading/ });
      const id = /Server (\d)/.exec(await leads.getAttribute('aria-label'))[1];
      await leads.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('complementary').getByRole('button', { name: 'Crash', exact: true }).click();
      const down = page.getByRole('button', { name: new RegExp(`^Server ${id}, down`) });
      await down.waitFor();
      await page.keyboard.press('Control+z');
      await down.waitFor({ state: 'detached' });
      assert.equal(await status(page).innerText(), before);
    },
  },
];
