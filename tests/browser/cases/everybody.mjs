import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import { played, told, watchFrames } from '../frames.mjs';
import { crowded } from '../load.mjs';
import { control, drawn, leader, playUntil, select, sentence, stepUntil, withLeader } from '../page.mjs';

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true };

/** What axe has to say of the page as it stands. */
async function complaints(page) {
  // A colour half-way through its transition is not what anybody reads.
  await drawn(page);
  await page.waitForFunction(() => document.getAnimations().every((a) => a.playState !== 'running'));
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(', ')}`);
}

const accessible = (colorScheme, where, context) => ({
  name: `axe finds nothing, ${colorScheme}, ${where}`,
  url: '#paused',
  limit: 60_000,
  context: { ...context, colorScheme },
  async run({ page }) {
    assert.deepEqual(await complaints(page), []);
    const id = await withLeader(page);
    await select(page, id);
    assert.deepEqual(await complaints(page), []);
  },
});

export const tests = [
  accessible('light', 'desktop', {}),
  accessible('dark', 'desktop', {}),
  accessible('light', 'phone', phone),
  accessible('dark', 'phone', phone),
  {
    name: 'by keyboard alone: step, go back, play, and crash a server',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      const first = await sentence(page).innerText();
      for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight']) {
        await page.keyboard.press(key);
        await drawn(page);
      }
      assert.notEqual(await sentence(page).innerText(), first);
      for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowLeft']) {
        await page.keyboard.press(key);
        await drawn(page);
      }
      assert.equal(await sentence(page).innerText(), first);
      await page.keyboard.press('Space');
      await page.waitForFunction(() => document.querySelector('[data-state="leading"][data-phase="broadcast"]'));
      if (await control(page, 'Pause').count()) await page.keyboard.press('Space');
      await page.locator('[data-server="5"]').focus();
      await page.keyboard.press('Enter');
      await page.getByRole('tab', { name: 'Server 5' }).waitFor();
      await page.getByRole('complementary').getByRole('button', { name: 'Crash', exact: true }).focus();
      await page.keyboard.press('Enter');
      assert.equal(await page.locator('[data-server="5"]').getAttribute('data-state'), 'down');
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
    },
  },
  {
    name: 'on a phone nothing is wider than the screen, and the controls can be touched',
    url: '#paused',
    context: phone,
    limit: 60_000,
    async run({ page }) {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 390, `${wide} px wide`);
      for (const name of ['Play', 'Step', 'Back']) {
        const box = await control(page, name).boundingBox();
        assert.ok(box.height >= 44 && box.x >= 0 && box.x + box.width <= 390, `${name}: ${JSON.stringify(box)}`);
      }
      await stepUntil(page, async () => (await leader(page).count()) === 1);
      await page.locator('[data-server="3"]').tap({ force: true });
      await page.getByRole('tab', { name: 'Server 3' }).waitFor();
    },
  },
  {
    name: 'with reduced motion nothing plays by itself',
    context: { reducedMotion: 'reduce' },
    async run({ page }) {
      await control(page, 'Play').waitFor();
      const before = await page.getByRole('log').innerText();
      await page.waitForTimeout(1_000);
      assert.equal(await page.getByRole('log').innerText(), before);
    },
  },
  {
    name: 'the theme and the language are chosen and kept',
    url: '#paused',
    async run({ page }) {
      await page.getByRole('button', { name: 'Dark', exact: true }).click();
      assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
      await page.getByRole('button', { name: '中文' }).click();
      assert.match(await sentence(page).innerText(), /[\u4e00-\u9fff]/);
      await page.reload();
      await page.locator('[data-server]').first().waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
      assert.match(await sentence(page).innerText(), /[\u4e00-\u9fff]/);
    },
  },
  {
    name: 'with two hundred messages in flight a frame leaves the browser time to spare',
    alone: true,
    url: null,
    limit: 60_000,
    async run({ page, url }) {
      await page.addInitScript(watchFrames);
      await page.goto(url + crowded());
      await page.locator('[data-server][data-state="leading"]').waitFor();
      const frames = await played(page);
      console.log(`  ${told(frames)}`);
      assert.equal(await page.locator('[data-server]').count(), 5);
      assert.equal(await page.locator('[data-client]').count(), 8);
      assert.ok(frames.messages >= 200, `only ${frames.messages} messages in flight`);
      assert.ok(frames.moved >= 100, `only ${frames.moved} messages moved`);
      // 60 frames a second leave 16 ms for each. The clock says little on a machine that others use too.
      assert.ok(frames.scripts < 8, `scripts take ${frames.scripts} ms of a frame`);
      assert.ok(frames.script[0] < 8, `the scripts of a usual frame take ${frames.script[0]} ms`);
      // Style is computed anew for all that moves: a costly rule that matches a message shows here.
      assert.ok(frames.style < 8, `style takes ${frames.style} ms of a frame`);
    },
  },
  {
    name: 'frames per second while playing (reported)',
    alone: true,
    limit: 60_000,
    async run({ page }) {
      await playUntil(page, async () => (await leader(page).count()) === 1);
      await control(page, 'Play').click();
      const rate = await page.evaluate(
        () =>
          new Promise((done) => {
            let frames = 0;
            const began = performance.now();
            const frame = (now) => {
              frames += 1;
              if (now - began < 2_000) requestAnimationFrame(frame);
              else done((frames * 1000) / (now - began));
            };
            requestAnimationFrame(frame);
          }),
      );
      const moving = await page.locator('[data-message]').count();
      console.log(`  ${rate.toFixed(1)} frames/s with ${moving} messages in flight`);
      assert.ok(rate > 10, `${rate} frames/s`);
    },
  },
];
