import { drawn, server } from '../page.mjs';
import { looksAsKept } from '../pictures.mjs';

/** A moment as a visitor finds it. */
const moment = (name, fragment, context = {}) => ({
  name: `${name} looks as it was looked at`,
  url: fragment,
  context: { viewport: { width: 1440, height: 900 }, colorScheme: 'light', locale: 'en-US', reducedMotion: 'reduce', ...context },
  async run({ page }) {
    await server(page, 3).waitFor();
    await page.waitForFunction(() => !location.hash.includes('world=') || document.querySelector('[role=log] li'));
    await page.evaluate(() => document.fonts.ready);
    await drawn(page);
    await looksAsKept(page, name);
  },
});

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true };

export const tests = [
  moment('opening', '#paused'),
  moment('election', '#world=election-at-start'),
  moment('discovery', '#world=discovery', { colorScheme: 'dark' }),
  moment('diff', '#world=sync-diff', { viewport: { width: 2560, height: 1440 } }),
  moment('trunc', '#world=sync-trunc'),
  moment('broadcast', '#world=load', { colorScheme: 'dark' }),
  moment('partition', '#world=partition', { locale: 'zh-CN', viewport: { width: 768, height: 1024 } }),
  moment('stale-read', '#world=stale-read', { ...phone }),
];
