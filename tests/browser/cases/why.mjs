import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import { crowded } from '../load.mjs';
import { control, drawn, panel, playUntil, select, sentence, server, withLeader } from '../page.mjs';

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true };
/** Two clients at two servers, with a few answers. */
const some = () => crowded({ clients: 2, writes: 5, more: 230 });
const side = (page) => page.getByRole('complementary');
const tab = (page, name) => page.getByRole('tab', { name, exact: true });
const answer = (page) => page.getByRole('article', { name: 'Answer' });
const heldFor = (page) => side(page).locator('[data-checked]').getAttribute('data-checked');

async function open(page, name) {
  await tab(page, name).click();
  await drawn(page);
}

/** The invariants were checked up to the moment that is shown. */
async function checked(page) {
  await open(page, 'Invariants');
  await side(page).getByText(/All 20 hold\. Checked up to step \d+/).waitFor({ timeout: 20_000 });
}

/** What axe has to say of the page as it stands. */
async function complaints(page) {
  await drawn(page);
  await page.waitForFunction(() => document.getAnimations().every((a) => a.playState !== 'running'));
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(', ')}`);
}

/** A client of a crowded world, opened. */
async function client(page, no, letter) {
  await server(page, 1).waitFor();
  await page.locator(`[data-client="${no}"]`).focus();
  await page.keyboard.press('Enter');
  await tab(page, `Client ${letter}`).waitFor();
}

const accessible = (colorScheme, where, context) => ({
  name: `axe finds nothing in the answers, sessions and invariants, ${colorScheme}, ${where}`,
  url: some(),
  // Five analyses: on a machine that others use each takes many seconds.
  limit: 240_000,
  context: { ...context, colorScheme },
  async run({ page }) {
    await client(page, 2, 'B');
    await panel(page, 'Judge it by the five guarantees').click();
    assert.deepEqual(await complaints(page), [], 'a client');
    await open(page, 'Sessions');
    assert.deepEqual(await complaints(page), [], 'sessions');
    await checked(page);
    assert.deepEqual(await complaints(page), [], 'invariants');
    await select(page, 2);
    assert.deepEqual(await complaints(page), [], 'a server');
    await panel(page, 'Why is server 2 not the leader?').click();
    await answer(page).waitFor();
    assert.deepEqual(await complaints(page), [], 'an answer');
  },
});

export const tests = [
  {
    name: 'why not: who lost the vote says by which field, with both values, and leads to the event',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      await select(page, 2);
      await panel(page, 'Why is server 2 not the leader?').click();
      await answer(page).getByText(/Server 2 was not elected: .* id 2 < 5/).waitFor();
      const decides = await answer(page).locator('tr.decides td.mono').allInnerTexts();
      assert.deepEqual(decides.sort(), ['2', '5']);
      await answer(page).getByText(/ZooKeeper\.md 2\.4/).waitFor();
      // It rests on an event: one goes there, and the answer stays.
      const before = await sentence(page).innerText();
      await answer(page).getByRole('list').getByRole('button').first().click();
      await drawn(page);
      assert.notEqual(await sentence(page).innerText(), before);
      await answer(page).getByRole('button', { name: 'Ask again now' }).waitFor();
      await answer(page).getByRole('button', { name: 'Close the answer' }).click();
      assert.equal(await answer(page).count(), 0);
    },
  },
  {
    name: 'why not: without a quorum a server names those whose votes it lacks',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      for (const id of [5, 4, 3]) {
        await select(page, id);
        await panel(page, 'Crash').click();
      }
      const looks = page.locator('[data-server="2"][data-state="looking"]');
      await playUntil(page, async () => (await looks.count()) === 1);
      await select(page, 2);
      await panel(page, 'Why is server 2 still LOOKING?').click();
      await answer(page).getByText(/of the 3 votes that it needs/).waitFor();
      for (const id of [3, 4, 5]) await answer(page).getByText(`Server ${id} is down`).waitFor();
    },
  },
  {
    name: 'why: the causes are walked one by one to where they end',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      await open(page, 'Why?');
      const chain = side(page).locator('ol.chain').last();
      assert.match(await chain.innerText(), /It ends at/);
      const causes = await chain.getByRole('button').count();
      assert.ok(causes > 3, `${causes} causes`);
      const before = await sentence(page).innerText();
      await chain.getByRole('button').nth(1).click();
      await drawn(page);
      assert.notEqual(await sentence(page).innerText(), before);
      assert.equal(await tab(page, 'Why?').getAttribute('aria-selected'), 'true');
      assert.equal(await chain.getByRole('button').count(), causes - 2);
      // Where it happened is chosen.
      assert.match(await page.getByRole('tablist', { name: 'Details' }).innerText(), /Server \d/);
    },
  },
  {
    name: 'why: a value of a server leads to the event that set it',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      await select(page, 5);
      await panel(page, 'Why: currentEpoch').click();
      await drawn(page);
      assert.equal(await tab(page, 'Why?').getAttribute('aria-selected'), 'true');
      assert.match(await sentence(page).innerText(), /^Server 5 writes to disk that it belongs to epoch 1/);
    },
  },
  {
    name: 'what if: a crash one step earlier makes a branch named after it, and one sentence says what differs',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      await select(page, 5);
      await panel(page, 'Why: role').click();
      await drawn(page);
      await page.getByRole('region', { name: 'What if' }).getByRole('button', { name: /crashes a step earlier/ }).click();
      await answer(page).getByText(/Now the lead is taken by server 4 at .*; before, by server 5/).waitFor();
      const branch = page.getByRole('combobox', { name: 'Branch' });
      assert.match(await branch.innerText(), /Server 5 crashes a step earlier/);
      assert.equal(await page.locator('[data-server="4"]').getAttribute('data-state'), 'leading');
      await answer(page).getByRole('button', { name: 'Back to main' }).click();
      await page.waitForFunction(() => document.querySelector('[data-server="5"]').dataset.state === 'leading');
    },
  },
  {
    name: 'all invariants are listed with sentence and source, and are checked as the run goes on',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      await checked(page);
      const rules = side(page).locator('[data-holds]');
      assert.equal(await rules.count(), 20);
      assert.equal(await side(page).locator('[data-holds="true"]').count(), 20);
      assert.match(await rules.filter({ hasText: 'leadership' }).first().innerText(), /An epoch has one leader at most.*\n.*Zab\.tla/s);
      const first = Number(await heldFor(page));
      assert.ok(first > 0);
      await control(page, 'Next phase').click();
      await page.waitForFunction(
        (n) => Number(document.querySelector('[data-checked]').dataset.checked) > n,
        first,
      );
    },
  },
  {
    name: 'sessions: whose, where, until when and why; a question about each',
    url: some(),
    limit: 60_000,
    async run({ page }) {
      await server(page, 1).waitFor();
      await open(page, 'Sessions');
      await side(page).getByText(/leads and counts their time, in ticks of 2\.0 s/).waitFor();
      const first = side(page).getByRole('region', { name: /^session 0x/ }).first();
      assert.match(await first.innerText(), /expires if nothing is heard\s+\d+\.\d{3}\ss,\sin\s\d/);
      await first.getByRole('button', { name: /^Why has the session of client . not expired\?$/ }).click();
      await answer(page).getByText(/rounded up to the tick/).waitFor();
    },
  },
  {
    name: "a client's eye: what it saw is judged by the five guarantees, each with the values",
    url: some(),
    limit: 60_000,
    async run({ page }) {
      await client(page, 2, 'B');
      await panel(page, 'Judge it by the five guarantees').click();
      assert.equal(await side(page).locator('[data-guarantee]').count(), 5);
      assert.equal(await side(page).locator('.rules .broken').count(), 0);
      await side(page).getByText(/Reliability: \d·\d+ is on the disks of \d voters; a quorum is \d/).first().waitFor();
      const before = await sentence(page).innerText();
      await side(page).locator('.eye').getByRole('button', { name: 'why' }).first().click();
      await drawn(page);
      assert.notEqual(await sentence(page).innerText(), before);
    },
  },
  accessible('light', 'desktop', {}),
  accessible('dark', 'desktop', {}),
  accessible('light', 'phone', phone),
];
