// What the chapters of the main job share.

import assert from 'node:assert/strict';

/** The workspace, its connections and its integration, as the chapters make them. */
export const flow = {};
/** What the simulated Stripe says that should become of each record, and what became of it. */
export let truth;
export let items;

export function remember(known) {
  ({ truth, items } = { truth, items, ...known });
}

export const ids = (rows) => rows.map(({ id }) => id);

export const itemsNow = () =>
  flow.api.all(`${flow.at}/items?integration_id=${flow.integration.id}`);

export const queueOf = (filters = '') =>
  flow.api.all(`${flow.at}/review?integration_id=${flow.integration.id}${filters}`);

/** A person acts on an item of the queue; the whole answer. */
export const act = (item, verb, body, options = {}) =>
  flow.api.call('POST', `${flow.at}/review/${item.id}/${verb}`, { body, ...options });

/** The same where it should succeed; the item as it is then. */
export async function acted(item, verb, body) {
  const answer = await act(item, verb, body);
  assert.ok(answer.status < 300, `${verb}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
