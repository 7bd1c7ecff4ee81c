// How long frames take while the page plays: for the test that bounds it and for the benchmark.

import { control } from './page.mjs';

/**
 * To be run before the page loads: what the page does in its animation frames is timed, with the
 * rendering of components that it leaves to microtasks.
 */
export function watchFrames() {
  const real = window.requestAnimationFrame.bind(window);
  window.frames_seen = { script: [], wall: [] };
  window.requestAnimationFrame = (callback) => {
    let began = 0;
    const handle = real((now) => {
      began = performance.now();
      callback(now);
    });
    // The next callback of the same frame: everything that the first one caused has been done by then.
    real((now) => {
      if (!began) return;
      const seen = window.frames_seen;
      seen.script.push(performance.now() - began);
      seen.wall.push(now - (seen.last ?? now));
      seen.last = now;
    });
    return handle;
  };
}

/** The value below which `part` of `values` lie. */
const below = (values, part) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))];

/** Plays for `ms` and tells of the frames: how many in a second, their length, what they cost in scripts and layout. */
export async function played(page, ms = 4_000) {
  const session = await page.context().newCDPSession(page);
  // The processor's time, not the clock's: others share the machine.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const metrics = async () =>
    Object.fromEntries((await session.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  const moving = () => page.locator('[data-message]').evaluateAll((all) => all.map((e) => [e.dataset.message, e.getAttribute('transform')]));
  await control(page, 'Play').click();
  // The first frames make what later ones keep.
  await page.waitForTimeout(500);
  const first = await metrics();
  await page.evaluate(() => {
    Object.assign(window.frames_seen, { script: [], wall: [], last: undefined });
  });
  await page.waitForTimeout(ms);
  const seen = await page.evaluate(() => window.frames_seen);
  const last = await metrics();
  // Whether they move is looked at after the frames were measured, and within a moment: in the time it
  // takes to measure, most of them arrive.
  const before = new Map(await moving());
  await page.waitForTimeout(250);
  const after = await moving();
  await control(page, 'Pause').click();
  await session.detach();
  const wall = seen.wall.slice(1);
  const each = (name) => ((last[name] - first[name]) * 1000) / wall.length;
  return {
    frames: wall.length,
    rate: (wall.length * 1000) / wall.reduce((sum, x) => sum + x, 0),
    wall: [below(wall, 0.5), below(wall, 0.95)],
    script: [below(seen.script, 0.5), below(seen.script, 0.95)],
    // What a frame costs on the main thread in all, and what of that are scripts, style and layout, on average.
    work: each('TaskDuration'),
    scripts: each('ScriptDuration'),
    style: each('RecalcStyleDuration'),
    layout: each('LayoutDuration'),
    // Under way all the time, and those that were seen to move.
    messages: Math.min(before.size, after.length),
    moved: after.filter(([id, at]) => before.has(id) && before.get(id) !== at).length,
    nodes: last.Nodes,
  };
}

/** In a line. */
export const told = (f) =>
  `${f.rate.toFixed(1)} frames/s with ${f.messages} messages in flight, ${f.moved} of them seen at two places; ` +
  `by the clock a frame takes ${f.wall[0].toFixed(1)} ms (p95 ${f.wall[1].toFixed(1)}), its scripts ${f.script[0].toFixed(1)} ms (p95 ${f.script[1].toFixed(1)}); ` +
  `by the processor ${f.work.toFixed(1)} ms on average: scripts ${f.scripts.toFixed(1)}, style ${f.style.toFixed(1)}, layout ${f.layout.toFixed(1)} ms`;
