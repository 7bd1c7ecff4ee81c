import assert from 'node:assert/strict';

export const tests = [
  {
    name: 'the page loads, says what it is and has nothing to complain about',
    async run({ page }) {
      assert.equal(await page.title(), 'zabscope');
      // Only the page's code puts anything but the noscript text into the body.
      await page.locator('body > :not(noscript, script)').first().waitFor({ state: 'attached' });
      assert.equal(await page.locator('body > p[role="alert"]').count(), 0);
    },
  },
];
