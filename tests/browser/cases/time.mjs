// Moving in time: the space-time diagram, Until…, units, bookmarks, branches side by side, the logs.

import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import { crowded } from '../load.mjs';
import { control, drawn, leader, panel, press, select, sentence, server, standing, withLeader } from '../page.mjs';

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true };

/** Opens a tab of the lower part. */
async function open(page, name) {
  await page.getByRole('region', { name: 'Timeline' }).getByRole('tab', { name, exact: true }).click();
  await drawn(page);
}

const plot = (page) => page.getByRole('group', { name: /^Space-time diagram/ });
const label = (page) => plot(page).getAttribute('aria-label');
const clock = (page) => page.locator('.clock').innerText();

/** How many pixels of the diagram are not empty. */
const inked = (page) =>
  page.locator('.dplot canvas').evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let n = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) n += 1;
    return n;
  });

/** Asks for something in the dialog Until…, and waits until the page stands still again. */
async function until(page, fill) {
  await control(page, 'Until…').click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await fill(dialog);
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await drawn(page);
  await page.waitForFunction(() => document.querySelector('.app').dataset.motion === 'off', null, { timeout: 60_000 });
  await drawn(page);
}

/** A world at rest with a leader, left in another direction: that leader crashed. */
async function twoBranches(page) {
  const first = await withLeader(page);
  await page.keyboard.press('Home');
  for (let n = 0; n < 30; n += 1) await page.keyboard.press('ArrowRight');
  await drawn(page);
  await select(page, first);
  await panel(page, 'Crash').click();
  await until(page, async (dialog) => {
    await dialog.getByRole('textbox', { name: 'Filter' }).fill('leads epoch 1');
  });
  return first;
}

async function complaints(page) {
  await drawn(page);
  await page.waitForFunction(() => document.getAnimations().every((a) => a.playState !== 'running'));
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(', ')}`);
}

const accessible = (colorScheme, where, context) => ({
  name: `axe finds nothing in any tab of the lower part, ${colorScheme}, ${where}`,
  url: crowded({ more: 120 }),
  limit: 120_000,
  context: { ...context, colorScheme },
  async run({ page }) {
    await server(page, 1).waitFor();
    await page.keyboard.press('b');
    for (const tab of ['Diagram', 'Logs', 'Branches', 'Events']) {
      await open(page, tab);
      assert.deepEqual(await complaints(page), [], tab);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${tab}: ${wide} px too wide`);
    }
    await page.keyboard.press('u');
    await page.getByRole('dialog').waitFor();
    assert.deepEqual(await complaints(page), [], 'Until…');
  },
});

export const tests = [
  accessible('light', 'desktop', {}),
  accessible('dark', 'desktop', {}),
  accessible('light', 'phone', phone),
  accessible('dark', 'phone', phone),
  {
    name: 'the diagram is drawn, zooms by wheel, pans by dragging, and a click on it moves the cursor',
    url: crowded({ more: 200 }),
    limit: 60_000,
    async run({ page }) {
      await server(page, 1).waitFor();
      await open(page, 'Diagram');
      assert.ok((await inked(page)) > 2_000, 'the picture is empty');
      const box = await plot(page).boundingBox();
      const [x, y] = [box.x + box.width * 0.5, box.y + 60];
      const whole = await label(page);
      await page.mouse.move(x, y);
      await page.mouse.wheel(0, -240);
      await drawn(page);
      const near = await label(page);
      assert.notEqual(near, whole);
      await page.mouse.down();
      await page.mouse.move(x + 160, y, { steps: 6 });
      await page.mouse.up();
      await drawn(page);
      assert.notEqual(await label(page), near);
      const [before, stood] = [await clock(page), await standing(page)];
      // Above the lanes there is nothing but time.
      await page.mouse.click(box.x + 40, box.y + 20);
      await drawn(page);
      assert.notEqual(await clock(page), before);
      await page.keyboard.press('End');
      await drawn(page);
      assert.equal(await standing(page), stood);
    },
  },
  {
    name: 'the diagram by keyboard: pan, zoom, choose a message, go there; it is chosen in all views',
    url: crowded({ more: 200 }),
    limit: 60_000,
    async run({ page }) {
      await server(page, 1).waitFor();
      await page.locator('#time-Events').focus();
      await page.keyboard.press('ArrowDown');
      await plot(page).waitFor();
      await plot(page).focus();
      const seen = [await label(page)];
      for (const key of ['ArrowLeft', '+', '-', '0']) {
        await page.keyboard.press(key);
        await drawn(page);
        assert.ok(!seen.includes(await label(page)) || key === '-', `${key}: ${await label(page)}`);
        seen.push(await label(page));
      }
      await page.keyboard.press('ArrowUp');
      await drawn(page);
      assert.match(await page.locator('.dtip').innerText(), /(Server|Client) \w+ → (Server|Client) \w+/);
      const before = await clock(page);
      for (let n = 0; n < 12; n += 1) await page.keyboard.press('ArrowUp');
      await drawn(page);
      await page.keyboard.press('Enter');
      await page.getByRole('tab', { name: 'Message' }).waitFor();
      assert.notEqual(await clock(page), before);
      // Not that it has arrived: it is under way at this moment.
      await page.getByRole('complementary').getByText('Arrives').waitFor();
      assert.ok((await page.locator('.stage-svg .message.picked, .stage-svg .message.lit, .stage-svg .message.chosen').count()) > 0);
      await page.getByRole('button', { name: 'Server 3', exact: true }).first().click();
      await page.getByRole('tab', { name: 'Server 3' }).waitFor();
    },
  },
  {
    name: 'the messages in sight are a list of real text that leads to each of them',
    url: crowded({ more: 200 }),
    limit: 60_000,
    async run({ page }) {
      await server(page, 1).waitFor();
      await open(page, 'Diagram');
      const list = page.getByRole('list', { name: 'Messages in sight' });
      const lines = list.getByRole('button');
      assert.ok((await lines.count()) >= 5);
      const line = await lines.first().innerText();
      assert.match(line, / → .* s – (arrived|lost|under way)/);
      await lines.first().focus();
      assert.ok((await lines.first().boundingBox()).height >= 24, 'with the focus in it the list is seen');
      await page.keyboard.press('Enter');
      await page.getByRole('tab', { name: 'Message' }).waitFor();
    },
  },
  {
    name: 'on a phone the diagram pans under a finger and the page keeps its place',
    url: crowded({ more: 200 }),
    context: phone,
    limit: 60_000,
    async run({ page }) {
      await server(page, 1).waitFor();
      await open(page, 'Diagram');
      await plot(page).scrollIntoViewIfNeeded();
      assert.ok((await inked(page)) > 1_000, 'the picture is empty');
      const before = await label(page);
      const box = await plot(page).boundingBox();
      const touch = (type, x, id = 1) =>
        plot(page).dispatchEvent(type, {
          pointerId: id, pointerType: 'touch', isPrimary: id === 1, button: 0, buttons: 1, bubbles: true,
          clientX: box.x + x, clientY: box.y + 60,
        });
      await touch('pointerdown', 100);
      await touch('pointermove', 160);
      await touch('pointermove', 220);
      await drawn(page);
      const panned = await label(page);
      assert.notEqual(panned, before);
      // A second finger: what is between them grows.
      await touch('pointerdown', 120, 2);
      await touch('pointermove', 20, 2);
      await drawn(page);
      assert.notEqual(await label(page), panned);
      await touch('pointerup', 20, 2);
      await touch('pointerup', 220);
    },
  },
  {
    name: 'until a server changes its role, until a text is told, until an invariant fails',
    url: '#paused',
    limit: 120_000,
    async run({ page }) {
      await until(page, async (dialog) => {
        await dialog.getByRole('combobox', { name: 'Server' }).selectOption({ label: 'server 5' });
      });
      assert.notEqual(await server(page, 5).getAttribute('data-state'), 'down');
      await until(page, async (dialog) => {
        await dialog.getByRole('textbox', { name: 'Filter' }).fill('leads epoch');
      });
      assert.equal(await leader(page).count(), 1);
      const here = await standing(page);
      await until(page, (dialog) => dialog.getByText('an invariant fails').click());
      await page.getByText('All invariants hold').waitFor();
      assert.equal(await standing(page), here);
      await until(page, (dialog) => dialog.getByRole('textbox', { name: 'Filter' }).fill('nobody ever says this'));
      await page.getByText('Not found.').waitFor();
      assert.equal(await standing(page), here);
    },
  },
  {
    name: 'a long search leaves the page alive and can be stopped',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      const here = await standing(page);
      await control(page, 'Until…').click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Filter' }).fill('nobody ever says this');
      await dialog.getByRole('button', { name: 'Go on' }).click();
      const looking = page.getByRole('group', { name: 'Looking' });
      await looking.waitFor();
      await looking.getByRole('button', { name: 'Stop' }).click();
      await looking.waitFor({ state: 'detached' });
      assert.equal(await standing(page), here);
    },
  },
  {
    name: 'Step and Back by message and by epoch visit the same moments',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await server(page, 1).waitFor();
      const by = async (unit) => {
        await page.keyboard.press('u');
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('combobox', { name: 'Step and Back by' }).selectOption({ label: unit });
        await dialog.getByRole('button', { name: 'Close' }).click();
      };
      await by('message');
      // Two messages may be told in the same words: with the step they can't be mistaken.
      const here = async () =>
        `${await sentence(page).innerText()} ${await page.getByRole('slider', { name: 'Moment' }).getAttribute('aria-valuetext')}`;
      const told = [];
      for (let n = 0; n < 4; n += 1) {
        await press(page, 'Step');
        await page.waitForFunction(() => document.querySelector('.app').dataset.motion === 'off');
        told.push((await here()).replace(/ of .*/, ''));
      }
      assert.equal(new Set(told).size, 4);
      for (const expected of told.slice(0, -1).reverse()) {
        await press(page, 'Back');
        assert.equal((await here()).replace(/ of .*/, ''), expected);
      }
      await by('epoch');
      await press(page, 'Step');
      await page.waitForFunction(() => document.querySelector('.app').dataset.motion === 'off');
      assert.equal(await leader(page).count(), 1);
    },
  },
  {
    name: 'a moment is kept, named, visited and forgotten',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      const here = await standing(page);
      await page.keyboard.press('b');
      await open(page, 'Branches');
      const moments = page.getByRole('region', { name: 'Branches and bookmarks' });
      await moments.getByRole('button', { name: /^Rename \d/ }).click();
      await moments.getByRole('textbox', { name: 'Bookmark' }).fill('elected');
      await moments.getByRole('button', { name: 'Apply' }).click();
      assert.equal(await page.locator('.scrub .mark.kept').count(), 1);
      await page.keyboard.press('Escape');
      await page.locator('#time-Branches').focus();
      await control(page, 'Back').click();
      await page.locator('.moments').focus();
      await page.keyboard.press('End');
      await page.keyboard.press('ArrowLeft');
      await moments.getByRole('button', { name: 'elected', exact: true }).click();
      await drawn(page);
      assert.equal(await standing(page), here);
      await moments.getByRole('button', { name: 'Delete elected' }).click();
      assert.equal(await page.locator('.scrub .mark.kept').count(), 0);
    },
  },
  {
    name: 'two branches: a tree, a name, and side by side where they part and what each led to',
    url: '#paused',
    limit: 120_000,
    async run({ page }) {
      const first = await twoBranches(page);
      await open(page, 'Branches');
      const moments = page.getByRole('region', { name: 'Branches and bookmarks' });
      const rename = moments.getByRole('button', { name: /^Rename (branch 2|without it)$/ });
      const focused = (locator) => locator.evaluate((e) => e === document.activeElement);
      await rename.focus();
      await page.keyboard.press('Enter');
      const field = moments.getByRole('textbox', { name: 'Branch' });
      assert.ok(await focused(field), 'the field has not the focus');
      await page.keyboard.press('Escape');
      await field.waitFor({ state: 'detached' });
      await page.waitForFunction(() => document.activeElement?.dataset.rename);
      await page.keyboard.press('Enter');
      await field.fill('without it');
      await page.keyboard.press('Enter');
      await field.waitFor({ state: 'detached' });
      await page.waitForFunction(() => document.activeElement?.dataset.rename);
      assert.ok(await focused(rename), 'the focus did not come back');
      const chooser = page.getByRole('combobox', { name: 'Branch', exact: true });
      assert.deepEqual(await chooser.locator('option').allInnerTexts(), ['main', 'without it']);
      await moments.getByRole('button', { name: 'Compare' }).click();
      const table = moments.getByRole('table');
      await table.waitFor();
      // Both as they are at this moment, on stages of their own.
      const stages = table.locator('.thumb svg');
      await stages.nth(1).waitFor();
      assert.equal(await table.locator('.thumb [data-server]').count(), 10);
      assert.equal(await table.locator('.thumb [data-state="down"]').count(), 1);
      const row = async (name) => table.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) }).innerText();
      assert.match(await row('first difference'), new RegExp(`server ${first}`, 'i'));
      assert.match(await row('servers up'), /5 \/ 5\s+4 \/ 5|4 \/ 5\s+5 \/ 5/);
      assert.match(await row('leader'), new RegExp(`server ${first}`));
      await moments.getByRole('button', { name: 'main', exact: true }).first().click();
      await page.waitForFunction((id) => document.querySelector(`[data-server="${id}"]`).dataset.state !== 'down', first);
    },
  },
  {
    name: 'the logs stand side by side by zxid, under their epochs, with what is applied',
    url: crowded({ writes: 2, more: 600 }),
    limit: 60_000,
    async run({ page }) {
      await server(page, 1).waitFor();
      await open(page, 'Logs');
      const logs = page.getByRole('region', { name: 'Logs side by side' });
      assert.match(await logs.getByRole('columnheader').first().innerText(), /^e\d/);
      assert.ok((await logs.locator('.block.applied').count()) > 3);
      assert.match(await logs.locator('.block.applied').first().innerText(), /committed and applied/);
      await logs.getByRole('button', { name: 'server 2' }).click();
      await page.getByRole('tab', { name: 'Server 2' }).waitFor();
    },
  },
];
