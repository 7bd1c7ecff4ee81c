// What the cases share: the page's parts by their accessible names, and waiting for what the core does.

/** A server's element. */
export const server = (page, id) => page.locator(`[data-server="${id}"]`);

/** The one server that leads and serves. */
export const leader = (page) => page.locator('[data-server][data-state="leading"][data-phase="broadcast"]');

/** A button of the row of controls. */
export const control = (page, name) =>
  page.getByRole('region', { name: 'Controls' }).getByRole('button', { name, exact: true });

/** What the page says happened. */
export const sentence = (page) => page.getByRole('status').first();

/** The page has drawn what was last done: it does so at the next frame. */
export const drawn = (page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));

/** Presses a control, and sees what comes of it. */
export async function press(page, name) {
  await control(page, name).click();
  await drawn(page);
}

/** Everything that a server shows of itself, for comparing moments. */
export const standing = (page) =>
  page.locator('[data-server]').evaluateAll((all) =>
    all
      .map((e) => ['server', 'state', 'phase', 'epoch', 'zxid'].map((k) => e.dataset[k]).join(' '))
      .sort()
      .join('\n'),
  );

/** Steps until `done`, at most `most` times. */
export async function stepUntil(page, done, most = 150) {
  for (let n = 0; n < most; n += 1) {
    if (await done()) return n;
    await press(page, 'Step');
  }
  throw new Error(`not within ${most} steps; the page says: ${await sentence(page).innerText()}`);
}

/** A world at rest with a leader. */
export async function withLeader(page) {
  await stepUntil(page, async () => (await leader(page).count()) === 1);
  return leader(page).getAttribute('data-server');
}

/** Selects a server by keyboard: what moves over it can't catch that, as it can a click. */
export async function select(page, id) {
  await server(page, id).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('tab', { name: `Server ${id}` }).waitFor();
}

/** A button of the panel beside the stage. */
export const panel = (page, name) =>
  page.getByRole('complementary').getByRole('button', { name, exact: true });

/** Plays until `done` holds in the page. */
export async function playUntil(page, done, limit = 20_000) {
  const play = control(page, 'Play');
  if (await play.count()) await play.click();
  const until = Date.now() + limit;
  while (!(await done())) {
    if (Date.now() > until) throw new Error(`not in time; the page says: ${await sentence(page).innerText()}`);
    await page.waitForTimeout(50);
    // It stops by itself when nothing but heartbeats is left; what is awaited may need one.
    if (await play.count()) await play.click().catch(() => {});
  }
  const pause = control(page, 'Pause');
  if (await pause.count()) await pause.click().catch(() => {});
}
