import assert from 'node:assert/strict';
import { control, drawn, panel, playUntil, press, select, sentence, server, withLeader } from '../page.mjs';

const act = async (page) => {
  await page.getByRole('tab', { name: 'Act', exact: true }).click();
  await page.getByRole('switch', { name: /^A whole quorum/ }).waitFor();
};
const rule = (page, name) => page.getByRole('switch', { name: new RegExp(`^${name}`) });
const banner = (page) => page.getByRole('note').filter({ hasText: 'Broken on purpose' });
const search = (page) => panel(page, 'Search for a violation');

export const tests = [
  {
    name: 'a rule that is off marks the stage, the sentence and the link, and holds again when switched on',
    url: '#paused',
    async run({ page, url, context }) {
      await act(page);
      assert.equal(await banner(page).count(), 0);
      await rule(page, 'A whole quorum').click();
      await banner(page).waitFor();
      assert.match(await banner(page).innerText(), /Not what ZooKeeper does\. Off: A whole quorum/);
      assert.match(await sentence(page).innerText(), /^Rules are off: .*broken on purpose.*A whole quorum/);
      assert.equal(await rule(page, 'A whole quorum').isChecked(), false);
      await press(page, 'Step');
      await page.waitForFunction(() => location.hash.includes('s=1.'));
      const shared = await page.evaluate(() => location.hash);
      const other = await context.newPage();
      await other.goto(new URL(shared, url).href);
      await banner(other).waitFor();
      await other.close();
      await panel(page, 'All rules on').click();
      await drawn(page);
      assert.equal(await banner(page).count(), 0);
      assert.match(await sentence(page).innerText(), /^All rules of the protocol hold again/);
    },
  },
  {
    name: 'a search finds what breaks without a rule and opens the run at the step before',
    url: '#paused',
    limit: 90_000,
    async run({ page }) {
      await act(page);
      await rule(page, 'TRUNC cuts').click();
      await search(page).click();
      const found = page.getByRole('note').filter({ hasText: 'Found a run that breaks' });
      await found.waitFor({ timeout: 80_000 });
      assert.match(await found.innerText(), /breaks synced-prefix\. It opens one step before that\.\s*A follower that has synchronised has the history of its leader/);
      assert.match(await found.innerText(), /\d+ schedules? tried, \d+ steps, \d+\/s\./);
      await banner(page).waitFor();
      // One step is known beyond the cursor: the one that breaks it.
      const scrub = page.getByRole('slider');
      assert.equal(Number(await scrub.getAttribute('max')) - Number(await scrub.inputValue()), 1);
      assert.ok(await panel(page, 'Open it').isVisible());
    },
  },
  {
    name: 'with all rules a search says how many schedules it tried; another can be cancelled, and nothing waits for it',
    url: '#paused',
    limit: 120_000,
    async run({ page }) {
      await act(page);
      const most = page.getByRole('combobox', { name: 'Schedules' });
      await most.selectOption('300');
      await search(page).click();
      const nothing = page.getByRole('note').filter({ hasText: 'Nothing found.' });
      await nothing.waitFor({ timeout: 100_000 });
      assert.match(await nothing.innerText(), /With all rules every property held[\s\S]*300 schedules tried/);
      await most.selectOption('20000');
      await search(page).click();
      const told = page.locator('.hunt');
      const first = await told.innerText();
      await page.waitForFunction((before) => document.querySelector('.hunt')?.innerText !== before, first);
      // The page goes on meanwhile.
      await press(page, 'Step');
      await panel(page, 'Cancel the search').click();
      await page.getByRole('note').filter({ hasText: 'Cancelled.' }).waitFor();
      await search(page).waitFor();
    },
  },
  {
    name: 'a search that can not run says why',
    url: '#paused',
    // The worker's script is replaced below, which what keeps the page offline would undo.
    context: { serviceWorkers: 'block' },
    async run({ page }) {
      await page.route('**/search.js', (route) =>
        route.fulfill({ contentType: 'text/javascript', body: "onmessage = () => postMessage('!no room for a search');" }),
      );
      await act(page);
      await search(page).click();
      const alert = page.getByRole('alert').filter({ hasText: 'The search could not run' });
      await alert.waitFor();
      assert.match(await alert.innerText(), /no room for a search/);
    },
  },
  {
    name: 'the leader crashes every five seconds until that is stopped, and random faults come and go',
    url: '#paused',
    limit: 90_000,
    async run({ page }) {
      await withLeader(page);
      await act(page);
      await panel(page, 'Repeat it').click();
      await page.getByText('Crash: the leader, every 5.0 s for 2.0 s').waitFor();
      assert.match(await sentence(page).innerText(), /1 fault repeats on schedule/);
      const down = page.locator('[data-server][data-state="down"]');
      await playUntil(page, async () => (await down.count()) === 1, 60_000);
      await page.getByRole('button', { name: /^Stop Crash: the leader/ }).click();
      await drawn(page);
      assert.match(await sentence(page).innerText(), /No fault comes by itself any more/);
      await press(page, 'Step');
      assert.equal(await down.count(), 0, 'what the schedule broke is mended');
      await panel(page, 'Random faults on').click();
      await page.getByText(/Random faults, about every 3\.0 s, seed \d+/).waitFor();
      await panel(page, 'Stop random faults').click();
      await drawn(page);
      assert.equal(await page.getByText(/Random faults, about every/).count(), 0);
    },
  },
  {
    name: 'keys break what is chosen, and the same keys mend it',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      await select(page, 2);
      const state = () => server(page, 2).getAttribute('data-state');
      await page.keyboard.press('x');
      await drawn(page);
      assert.equal(await state(), 'down');
      await page.keyboard.press('x');
      await drawn(page);
      assert.notEqual(await state(), 'down');
      await page.keyboard.press('p');
      await drawn(page);
      assert.match(await sentence(page).innerText(), /server 2/i);
      await panel(page, 'Resume').waitFor();
      await page.keyboard.press('p');
      await page.keyboard.press('c');
      await drawn(page);
      assert.ok((await page.locator('.stage-svg .wall').count()) > 0, 'there is no wall round it');
      await page.keyboard.press('c');
      await drawn(page);
      assert.equal(await page.locator('.stage-svg .wall').count(), 0);
      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Crash or restart what is chosen').waitFor();
    },
  },
  {
    name: 'the other mouse button opens a menu of faults where they happen, and keys walk through it',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      const menu = page.getByRole('menu', { name: 'Faults' });
      const items = () => menu.getByRole('menuitem').allInnerTexts();
      await server(page, 2).click({ button: 'right' });
      await menu.waitFor();
      assert.equal((await items()).length, 6);
      await menu.getByRole('menuitem', { name: 'Pause this server' }).click();
      await drawn(page);
      assert.equal(await menu.count(), 0);
      assert.match(await sentence(page).innerText(), /server 2/i);
      await panel(page, 'Resume').waitFor();
      // By keys: what has the focus has the menu, and gets the focus back.
      await server(page, 3).focus();
      await page.keyboard.press('Shift+F10');
      await menu.waitFor();
      // The last is a wall with more than one behind it, the one before cuts it off.
      await page.keyboard.press('End');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Enter');
      await drawn(page);
      assert.ok((await page.locator('.stage-svg .wall').count()) > 0, 'it is not cut off');
      await page.keyboard.press('Shift+F10');
      await menu.getByRole('menuitem', { name: 'Let back in' }).waitFor();
      await page.keyboard.press('Escape');
      await drawn(page);
      assert.equal(await menu.count(), 0);
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-server')), '3');
    },
  },
  {
    name: 'a wall is built by keys alone: from the menu of a server, and by its own key',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      const dialog = page.getByRole('dialog', { name: 'Partition' });
      const sides = () => dialog.locator('.sides').innerText();
      await server(page, 3).focus();
      await page.keyboard.press('Shift+F10');
      await page.getByRole('menu', { name: 'Faults' }).waitFor();
      await page.keyboard.press('End');
      await page.keyboard.press('Enter');
      await dialog.waitFor();
      assert.match(await sides(), /^3 \| 1, 2/);
      await dialog.getByRole('checkbox', { name: 'server 1' }).focus();
      await page.keyboard.press('Space');
      assert.match(await sides(), /^1, 3 \| 2/);
      await dialog.getByRole('button', { name: 'Build the wall' }).focus();
      await page.keyboard.press('Enter');
      await drawn(page);
      assert.equal(await dialog.count(), 0);
      assert.ok((await page.locator('.stage-svg .wall').count()) > 0, 'there is no wall');
      await page.keyboard.press('Escape');
      await page.keyboard.press('d');
      await dialog.waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Build a wall between servers').waitFor();
    },
  },
  {
    name: 'a server is dragged to be paused, onto another to cut their link, and a wall is drawn with the mouse',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      const middle = (box) => [box.x + box.width / 2, box.y + box.height / 2];
      const at = async (id) => middle(await server(page, id).locator('.hit').boundingBox());
      const card = await page.locator('.stage-svg .card .paper').first().boundingBox();
      const drag = async (from, to) => {
        await page.mouse.move(...from);
        await page.mouse.down();
        await page.mouse.move(...to, { steps: 8 });
        await drawn(page);
        const shown = await page.locator('.dragging').innerText().catch(() => '');
        await page.mouse.up();
        await drawn(page);
        return shown;
      };
      // The third of four places below.
      await drag(await at(2), [card.x + card.width * 0.62, card.y + card.height * 0.85]);
      assert.match(await sentence(page).innerText(), /server 2/i);
      await select(page, 2);
      await panel(page, 'Resume').click();
      await drag(await at(1), await at(3));
      assert.match(await sentence(page).innerText(), /link between server 1 and server 3/i);
      assert.equal(await page.locator('.stage-svg .link.cut').count(), 1);
      await drag(await at(1), await at(3));
      assert.equal(await page.locator('.stage-svg .link.cut').count(), 0);
      // From above to below, left of the middle.
      const stage = await page.locator('.stage-svg').boundingBox();
      const x = stage.x + stage.width * 0.3;
      await drag([x, stage.y + 6], [x, stage.y + stage.height - 6]);
      assert.ok((await page.locator('.stage-svg .wall').count()) > 0, 'there is no wall');
    },
  },
];
