import assert from 'node:assert/strict';
import { drawn } from '../page.mjs';

/** Takes a lesson by mouse to its end; predictions are answered, what is to be done is shown. */
const taken = (name, title) => ({
  name: `${title}, from its first step to its last`,
  url: `#lesson=${name}`,
  limit: 200_000,
  // Without motion what a step waits for is there sooner.
  context: { reducedMotion: 'reduce' },
  async run({ page }) {
    const lesson = page.getByRole('tabpanel', { name: 'Lesson' });
    await lesson.getByText(title).first().waitFor();
    await page.getByRole('combobox', { name: 'Speed' }).selectOption({ label: '10×' });
    const place = () => lesson.getByText(/^\d+ of \d+$/).innerText();
    const [, all] = (await place()).split(' of ').map(Number);
    assert.ok(all >= 5, `${all} steps`);
    const seen = new Set();
    let predicted = 0;
    for (let turn = 0; turn < 60; turn += 1) {
      const at = await place().catch(() => null);
      if (at === null) break;
      seen.add(at);
      if (at === `${all} of ${all}` && !(await lesson.getByRole('button', { name: /^(Show me|Continue|Run it|Watch)$/ }).count())) break;
      const choice = lesson.getByRole('radio');
      if ((await choice.count()) && (await choice.first().isEnabled()) && !(await lesson.getByRole('radio', { checked: true }).count())) {
        await choice.first().check({ force: true });
        predicted += 1;
        await drawn(page);
      }
      const next = lesson.getByRole('button', { name: /^(Show me|Next|Continue|Run it|Watch)$/ });
      await next.locator('visible=true').first().waitFor();
      await page.waitForFunction(
        () =>
          [...document.querySelectorAll('[role=tabpanel] button')].some(
            (b) => /^(Show me|Next|Continue|Run it|Watch)$/.test(b.textContent.trim()) && !b.disabled,
          ),
        undefined,
        { timeout: 40_000 },
      );
      const buttons = await next.all();
      for (const button of buttons) {
        if (await button.isEnabled()) {
          await button.click();
          break;
        }
      }
      await drawn(page);
    }
    assert.equal(seen.size, all, [...seen].join(', '));
    assert.ok(predicted > 0, 'nothing was predicted');
  },
});

export const tests = [
  taken('10-electing-a-leader', 'Electing a leader at start-up'),
  taken('11-the-leader-dies', 'The leader dies'),
];
