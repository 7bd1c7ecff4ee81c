// Pictures of moments, compared with those that were looked at and kept. Fonts and the drawing of edges differ
// from machine to machine: what is compared is small and blurred, and may differ a little.

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';

const kept = new URL('../../docs/images/moments/', import.meta.url);
/** Of the way from black to white, on average over the picture. */
const MEAN = 0.02;
/** In the square that differs most: something stands elsewhere or is missing. */
const WORST = 0.35;

/**
 * Compares what the page shows with the kept picture of that name; with ZABSCOPE_WRITE_PICTURES it writes it
 * instead: look at it before it is committed.
 */
export async function looksAsKept(page, name) {
  const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  const path = new URL(`${name}.png`, kept);
  if (process.env.ZABSCOPE_WRITE_PICTURES) {
    await mkdir(kept, { recursive: true });
    await writeFile(path, picture);
    return;
  }
  const before = await readFile(path).catch(() => {
    throw new Error(`there is no docs/images/moments/${name}.png: run the tests with ZABSCOPE_WRITE_PICTURES=1, and look at it`);
  });
  const [mean, worst, sizes] = await page.evaluate(difference, [picture.toString('base64'), before.toString('base64')]);
  assert.equal(sizes[0], sizes[1], `${name}: the picture has another size`);
  assert.ok(
    mean <= MEAN && worst <= WORST,
    `${name} looks different: ${(100 * mean).toFixed(2)} % on average (at most ${100 * MEAN} %), ` +
      `${(100 * worst).toFixed(0)} % in the worst square (at most ${100 * WORST} %). If it is meant: ZABSCOPE_WRITE_PICTURES=1`,
  );
}

// Runs in the page: mean and greatest difference of squares of 16 x 16 dots.
async function difference(pictures) {
  const side = 16;
  const grids = [];
  const sizes = [];
  for (const base64 of pictures) {
    const image = new Image();
    image.src = `data:image/png;base64,${base64}`;
    await image.decode();
    sizes.push(`${image.width} x ${image.height}`);
    const canvas = document.createElement('canvas');
    canvas.width = image.width;
    canvas.height = image.height;
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const columns = Math.ceil(image.width / side);
    const sums = new Float64Array(columns * Math.ceil(image.height / side));
    const counts = new Float64Array(sums.length);
    for (let i = 0; i < data.length; i += 4) {
      const dot = i / 4;
      const at = Math.floor(Math.floor(dot / image.width) / side) * columns + Math.floor((dot % image.width) / side);
      sums[at] += (data[i] + data[i + 1] + data[i + 2]) / 765;
      counts[at] += 1;
    }
    grids.push(sums.map((sum, at) => sum / counts[at]));
  }
  const all = Array.from(grids[0], (value, at) => Math.abs(value - (grids[1][at] ?? 1)));
  return [all.reduce((a, b) => a + b, 0) / all.length, Math.max(...all), sizes];
}
