import assert from 'node:assert/strict';
import { panel, withLeader } from '../page.mjs';

const tab = (page, name) => page.getByRole('complementary').getByRole('tab', { name, exact: true });
const command = (page) => page.getByRole('textbox', { name: 'Command' });
const said = (page) => page.getByRole('list', { name: 'Console' });

/** Types a line, and waits for what stands below. */
async function type(page, line, answer) {
  await command(page).fill(line);
  await command(page).press('Enter');
  await said(page).getByText(answer).last().waitFor();
}

export const tests = [
  {
    name: 'the console asks as a client, completes paths, brings lines back, and says who answered',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      await tab(page, 'Console').click();
      await panel(page, 'Add a client').click();
      await type(page, 'create /colour blue', '/colour');
      await type(page, 'get /colour', /served by server \d/);
      await said(page).getByText('blue').last().waitFor();
      await command(page).fill('get /col');
      await command(page).press('Tab');
      assert.equal(await command(page).inputValue(), 'get /colour');
      await command(page).fill('');
      await command(page).press('ArrowUp');
      assert.equal(await command(page).inputValue(), 'get /colour');
      await command(page).press('ArrowUp');
      assert.equal(await command(page).inputValue(), 'create /colour blue');
      await command(page).fill('frob');
      await command(page).press('Enter');
      await page.getByRole('complementary').getByText('There is no command frob').waitFor();
      await type(page, 'get /nowhere', 'NONODE');
    },
  },
  {
    name: 'the tree of a server is compared with that of another one',
    url: '#world=slow-link',
    async run({ page }) {
      await page.locator('[data-server="3"][data-state="leading"]').waitFor();
      await tab(page, 'Tree').click();
      const side = page.getByRole('complementary');
      await side.getByLabel('as it is on').selectOption('3');
      await side.getByLabel('compared with').selectOption('1');
      await side.getByText('only here').first().waitFor();
      assert.equal(await side.locator('.differing').getByRole('button').count(), 3);
      await side.getByLabel('compared with').selectOption('nothing');
      assert.equal(await side.locator('.differing').count(), 0);
    },
  },
  {
    name: 'the tree of a server is compared with what it was at a bookmark',
    url: '#world=slow-link',
    async run({ page }) {
      await page.locator('[data-server="3"][data-state="leading"]').waitFor();
      await page.keyboard.press('End');
      await page.keyboard.press('b');
      await page.keyboard.press('Home');
      await page.keyboard.press('n');
      await tab(page, 'Tree').click();
      const side = page.getByRole('complementary');
      await side.getByLabel('as it is on').selectOption('3');
      const bookmark = side.locator('option', { hasText: 'itself at bookmark' });
      await side.getByLabel('compared with').selectOption(await bookmark.getAttribute('value'));
      await side.getByText('not here').first().waitFor();
    },
  },
];
