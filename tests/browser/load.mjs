// A world with much under way, as a link: five servers, eight clients, slow links and many writes.

import { deflateRawSync } from 'node:zlib';

/** The page's fragment for this run: its setup, its actions with the steps between them, its last step. */
export function link(setup, actions, steps) {
  const json = JSON.stringify({ w: setup, a: actions, s: steps });
  return `#s=1.${deflateRawSync(Buffer.from(json)).toString('base64url')}`;
}

const create = (path) => ({
  Write: { Create: { path, data: [98, 108, 117, 101], acl: [{ perms: 31, scheme: 'world', id: 'anyone' }], mode: 'Persistent', op: 'Create' } },
});

/**
 * A message takes `latency` ms and up to `jitter` more, so that many are under way at once; each client
 * has asked for as many writes, one behind the other.
 */
export function crowded({ latency = 60, jitter = 60, clients = 8, writes = 24, begin = 500, more = 200 } = {}) {
  const setup = { seed: 7, latency: latency * 1000, jitter: jitter * 1000 };
  const actions = [];
  for (let no = 1; no <= clients; no += 1) {
    actions.push([no === 1 ? begin : 0, { AddClient: { server: ((no - 1) % 5) + 1, timeout_ms: 40_000 } }]);
  }
  const settle = 300;
  for (let n = 0; n < writes; n += 1) {
    for (let no = 1; no <= clients; no += 1) {
      actions.push([n === 0 && no === 1 ? settle : 0, { Ask: { client: no, request: create(`/c${no}-${n}`) } }]);
    }
  }
  return link(setup, actions, begin + settle + more);
}

/** A long run as a link: eight clients write without a break; about fifty thousand events. */
export function long({ begin = 400, steps = 22_000 } = {}) {
  const actions = [];
  for (let no = 1; no <= 8; no += 1) {
    actions.push([no === 1 ? begin : 0, { AddClient: { server: null, timeout_ms: 30_000 } }]);
    actions.push([0, { Load: { client: no, writes: 1_000_000 } }]);
  }
  return link({ seed: 7 }, actions, begin + steps);
}
