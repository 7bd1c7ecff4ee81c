import assert from 'node:assert/strict';
import { crowded } from '../load.mjs';
import { drawn, panel, select, server, withLeader } from '../page.mjs';

/** Drags a server onto the card, and lets it go there. */
async function dragOntoCard(page, id) {
  const middle = (box) => [box.x + box.width / 2, box.y + box.height / 2];
  const circle = await server(page, id).locator('.hit').boundingBox();
  const card = await page.locator('.stage-svg .card .paper').first().boundingBox();
  await page.mouse.move(...middle(circle));
  await page.mouse.down();
  await page.mouse.move(...middle(card), { steps: 8 });
  await drawn(page);
  const zone = await page.locator('.dragging').innerHTML();
  await page.mouse.up();
  await drawn(page);
  return zone;
}

export const tests = [
  {
    name: 'a server dragged onto the card is cut off; dragged there again it is let back in',
    url: '#paused',
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      assert.equal(await page.locator('.stage-svg .wall').count(), 0);
      assert.match(await dragOntoCard(page, 2), /server 2 is cut off/);
      assert.ok((await page.locator('.stage-svg .wall').count()) > 0, 'there is no wall');
      assert.match(await dragOntoCard(page, 2), /server 2 is let back in/);
      assert.equal(await page.locator('.stage-svg .wall').count(), 0);
    },
  },
  {
    name: 'what clients ask moves on the stage and opens like any message',
    url: crowded({ more: 30 }),
    limit: 60_000,
    async run({ page }) {
      await server(page, 1).waitFor();
      const asked = page.locator('[data-message][aria-label^="create /c"]').first();
      await asked.waitFor({ state: 'attached' });
      const path = /create (\/\S+)/.exec(await asked.getAttribute('aria-label'))[1];
      await asked.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('tab', { name: 'Message' }).waitFor();
      const side = page.getByRole('complementary');
      await side.getByText(`create ${path} blue`).waitFor();
      // From the message to the znode that it is about: that lights up wherever it is told of.
      await side.getByRole('button', { name: `Show ${path} on every server` }).click();
      await side.getByRole('table').waitFor();
      assert.ok((await page.locator('.stage-svg .message.lit').count()) > 0, 'no message is lit');
      assert.ok((await page.getByRole('log').locator('.lit').count()) > 0, 'no line is lit');
    },
  },
  {
    name: 'a chosen client lights up its lines and its messages',
    url: crowded({ more: 60 }),
    limit: 60_000,
    async run({ page }) {
      await server(page, 1).waitFor();
      await page.locator('[data-client="2"]').focus();
      await page.keyboard.press('Enter');
      await page.getByRole('tab', { name: 'Client B' }).waitFor();
      const lines = await page.getByRole('log').locator('.lit').allInnerTexts();
      assert.ok(lines.length > 0, 'no line is lit');
      assert.ok((await page.locator('.stage-svg .message.lit').count()) > 0, 'no message is lit');
    },
  },
  {
    name: 'why a link can not be opened is said in Chinese too, with what to do',
    url: '#s=1.AAAAdamaged&lang=zh-Hans',
    async run({ page }) {
      const said = await page.getByRole('alert').first().innerText();
      assert.match(said, /无法打开/);
      assert.match(said, /完整复制/);
      assert.doesNotMatch(said, /[a-z]{4,} [a-z]{2,}/);
    },
  },
  ...[360, 390, 430].map((width) => ({
    name: `on a phone of ${width} px the stage and its card are seen as a whole, without scrolling`,
    url: '#paused',
    context: { viewport: { width, height: 844 }, hasTouch: true },
    limit: 60_000,
    async run({ page }) {
      await withLeader(page);
      await select(page, 5);
      await page.evaluate(() => window.scrollTo(0, 0));
      const card = await page.locator('.stage-svg .card .paper').first().boundingBox();
      const sentence = await page.getByRole('region', { name: 'What happened' }).boundingBox();
      assert.ok(card.x >= 0 && card.x + card.width <= width, JSON.stringify(card));
      assert.ok(card.y + card.height <= sentence.y, `${JSON.stringify(card)} under ${JSON.stringify(sentence)}`);
      await panel(page, 'Crash').waitFor({ state: 'attached' });
    },
  })),
];
