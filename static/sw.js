// Keeps the page for when there is no network. The HTML file names everything else by its contents, so it
// alone is asked for again: what it names is taken from the cache. Each HTML text has a cache of its own,
// and the one before is kept for pages that are still open.
// Caches belong to the host, on which another path may have a zabscope of its own.
const PREFIX = `zabscope ${new URL(self.registration.scope).pathname} `;
// What the page fetches later; their names don't change.
const LATER = ['./worlds.json', './search.js', './manifest.webmanifest', './icons/favicon.svg'];
const PATIENCE_MS = 3000;

self.addEventListener('install', (event) => {
  event.waitUntil(look().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});

// A page that has come back into sight asks whether there is a newer one.
self.addEventListener('message', (event) => {
  if (event.data === 'look') event.waitUntil(look().catch(() => {}));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || !url.href.startsWith(self.registration.scope)) return;
  const home = request.mode === 'navigate' && url.pathname === new URL(self.registration.scope).pathname;
  if (home) event.respondWith(page(event));
  else event.respondWith(hashed(url) ? kept(request) : fresh(request));
});

// A file whose name changes with its contents.
const hashed = (url) => /-[0-9a-f]{8,16}(_bg)?\.(js|css|wasm)$/.test(url.pathname);

// The newest page, or the one that is kept when the network is gone or slow.
async function page(event) {
  const network = fetch('./', { cache: 'no-cache' });
  // Who gets the page that is kept, because the network is slow, is told when there is a newer one.
  let slow = false;
  const checked = network.then(async (response) => {
    if (response.ok) await remember(await response.clone().text(), slow ? undefined : event.resultingClientId);
  });
  event.waitUntil(checked.catch(() => {}));
  const cached = await find('./');
  if (!cached) return network;
  const late = new Promise((done) =>
    setTimeout(() => {
      slow = true;
      done(cached);
    }, PATIENCE_MS),
  );
  return Promise.race([late, network.then((response) => (response.ok ? response : cached)).catch(() => cached)]);
}

async function kept(request) {
  return (await find(request)) ?? fetch(request);
}

async function fresh(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const cached = await find(request);
    if (cached) return cached;
    throw error;
  }
}

// Our caches, the newest first; a host may have other things of other people in its own.
async function caches_() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  return names.sort().reverse();
}

async function find(request) {
  for (const name of await caches_()) {
    const found = await (await caches.open(name)).match(request, { ignoreSearch: true });
    if (found) return found;
  }
  return undefined;
}

async function look() {
  const response = await fetch('./', { cache: 'no-cache' });
  if (!response.ok) throw new Error(`the page answered ${response.status}`);
  await remember(await response.text());
}

// Keeps the page with all that it names, and tells the pages that are open, unless it is kept already.
async function remember(text, but) {
  const before = await find('./');
  if (before && (await before.text()) === text) return;
  const named = [...text.matchAll(/(?:href|src|content|data-wasm|data-rest)="(\.\/[^"#?]+)"/g)].map((m) => m[1]);
  const name = `${PREFIX}${String(Date.now()).padStart(16, '0')}`;
  const cache = await caches.open(name);
  try {
    await cache.addAll([...new Set([...named, ...LATER])]);
    // Last: a cache without it is not complete, and is not used as a page.
    await cache.put('./', new Response(text, { headers: { 'content-type': 'text/html; charset=utf-8' } }));
  } catch (error) {
    await caches.delete(name);
    throw error;
  }
  for (const old of (await caches_()).slice(2)) await caches.delete(old);
  if (!before) return;
  for (const client of await self.clients.matchAll()) {
    if (client.id !== but) client.postMessage('newer');
  }
}
