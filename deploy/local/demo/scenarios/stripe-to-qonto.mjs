// Stripe charges and refunds into Qonto: what is sure flows, what is doubtful is held, what is hopeless
// is stopped, what the books have already is linked, and one lost answer is found again.

import { until } from '../api.mjs';

const QUIET_STATES = ['scoring', 'queued'];

export async function run({ api, at, control, tell, connect, remember }) {
  const wrong = [];
  const expect = (holds, sentence) => holds || wrong.push(sentence);

  const stripe = await connect('stripe', 'source');
  const qonto = await connect('qonto', 'target');
  await control.fault({
    provider: 'qonto', match: { method: 'POST', path: '/v2/supplier_invoices/bulk' },
    kind: 'lost_answer', after: 2, times: 1,
  });
  tell("the answer to Qonto's third upload will be lost on the way");
  const integration = await api.expect(201, 'POST', `${at}/integrations`, {
    body: {
      name: 'Stripe into Qonto',
      source_connection_id: stripe.id,
      target_connection_id: qonto.id,
      settings: { backfill_days: 60, grace_s: 1 },
    },
  });
  await remember({ integration_id: integration.id, stripe_connection_id: stripe.id, qonto_connection_id: qonto.id });
  const { truth } = await control.get('/control/stripe/truth');

  const first = await quiet({ api, at, integration, least: truth.length });
  tell(`first window decided: ${bands(first)}`);
  const lost = await lostAnswer({ api, at });
  expect(lost.seen, 'no delivery was uncertain although an answer was lost');
  if (lost.seen) tell('the lost answer was looked up at Qonto before anything was sent again');

  const reviewed = await review({ api, at, integration, tell, expect });
  await quiet({ api, at, integration, least: truth.length });

  const summary = await prove({ api, at, control, integration, truth, expect });
  tell(`conservation: seen ${summary.seen}, delivered ${summary.delivered}, linked ${summary.linked}, held ` +
    `${summary.held}, stopped ${summary.stopped}, unexplained ${summary.unexplained}`);
  return { summary: { ...summary, ...reviewed, lost_answers_resolved: lost.resolved }, wrong };
}

/**
 * What the second `./run` shows. The simulated providers forgot everything when they stopped, our
 * tokens too: the connections are renewed as a person would, and go on where they stopped.
 */
export async function show({ api, at, tell, renew }, demo) {
  for (const id of [demo.stripe_connection_id, demo.qonto_connection_id]) {
    const connection = await renew(id);
    tell(`${connection.provider} connected again; it goes on where it stopped`);
  }
  const status = await api.get(`${at}/integrations/${demo.integration_id}/status`);
  tell(`${bands(status)}; ${status.problems_open} open problems`);
}

function bands(status) {
  return Object.entries(status.items).filter(([, n]) => n > 0).map(([state, n]) => `${n} ${state}`).join(', ');
}

/** Until at least `least` items were collected, no window is open and nothing is on its way. */
async function quiet({ api, at, integration, least }) {
  return until('the integration came to rest', async () => {
    const status = await api.get(`${at}/integrations/${integration.id}/status`);
    const total = Object.values(status.items).reduce((sum, n) => sum + n, 0);
    const moving = QUIET_STATES.some((state) => status.items[state] > 0);
    const open = status.windows.some((window) => window.state === 'scoring' || window.state === 'delivering'
      || (window.state === 'collecting' && window.item_count > 0));
    return total >= least && !moving && !open && status.problems_open === 0 ? status : null;
  }, { seconds: 120 });
}

async function lostAnswer({ api, at }) {
  const deliveries = await api.all(`${at}/deliveries`);
  const details = [];
  for (const { id } of deliveries) details.push(await api.get(`${at}/deliveries/${id}`));
  const lost = details.filter((it) => it.attempts.some((attempt) => attempt.status === 'provider_uncertain'));
  return { seen: lost.length > 0, resolved: lost.filter((it) => it.state === 'done').length };
}

/** A person works: one held item is approved, one stopped item is pinned to an entry. */
async function review({ api, at, integration, tell, expect }) {
  const queue = await api.all(`${at}/review?integration_id=${integration.id}`);
  tell(`the review queue has ${queue.length} items; the first: ${describe(queue[0])}`);
  const held = queue.find((entry) => entry.item.state === 'held');
  const stopped = queue.find((entry) => entry.item.state === 'stopped')
    ?? { item: (await api.all(`${at}/items?integration_id=${integration.id}&state=stopped`))[0] };
  expect(held, 'nothing was held');
  expect(stopped.item, 'nothing was stopped');
  if (held) {
    await api.expect(200, 'POST', `${at}/review/${held.item.id}/approve`, { body: { create: true, note: 'checked' } });
    tell(`approved ${held.item.source_id}: it goes to Qonto after the grace period`);
  }
  if (stopped.item) {
    const free = (await api.all(`${at}/ledger?role=document`)).find((entry) => !entry.item_id && entry.origin === 'mirrored');
    expect(free, 'no entry of the ledger is free to pin');
    await api.expect(200, 'POST', `${at}/review/${stopped.item.id}/pin`, { body: { ledger_entry_id: free.id } });
    tell(`pinned ${stopped.item.source_id} to the entry "${free.counterparty_name}" of the ledger`);
  }
  return { approved: held ? 1 : 0, pinned: stopped.item ? 1 : 0 };
}

function describe(entry) {
  if (!entry) return 'none';
  const { item, decision } = entry;
  const reasons = (decision?.policies ?? []).map((policy) => policy.code).join(', ');
  return `${item.kind} ${item.amount?.decimal} ${item.amount?.currency} of ${item.counterparty_name ?? 'nobody'}, ` +
    `p ${item.p}${reasons ? ` (${reasons})` : ''}`;
}

/** The books at Qonto against ours: exactly once each, and nothing unexplained. */
async function prove({ api, at, control, integration, truth, expect }) {
  const proof = await api.get(`${at}/conservation?integration_id=${integration.id}`);
  const items = await api.all(`${at}/items?integration_id=${integration.id}`);
  const { invoices } = await control.get('/control/qonto/invoices');
  const uploads = invoices.filter((invoice) => invoice.idempotency_key);
  const copies = (id) => uploads.filter((invoice) => invoice.file_name.includes(id)).length;
  const doubles = truth.filter(({ source_id: id }) => copies(id) > 1);
  const delivered = items.filter((item) => item.state === 'delivered');
  const missing = delivered.filter((item) => copies(item.source_id) !== 1);
  const known = new Set(items.map((item) => item.source_id));
  const forgotten = truth.filter(({ source_id: id }) => !known.has(id));
  const decided = new Map(items.map((item) => [item.source_id, item]));
  const linkedRight = truth.filter((it) => it.expected === 'link' && decided.get(it.source_id)?.state === 'linked');
  expect(doubles.length === 0, `${doubles.length} records reached Qonto twice`);
  expect(missing.length === 0, `${missing.length} delivered items are not at Qonto exactly once`);
  expect(forgotten.length === 0, `${forgotten.length} records that should post were not collected`);
  expect(uploads.length === delivered.length, `${uploads.length} uploads at Qonto, ${delivered.length} delivered items`);
  expect(proof.unexplained === 0, `unexplained is ${proof.unexplained}`);
  for (const term of ['delivered', 'linked', 'held', 'stopped']) {
    expect(proof.terms[term] > 0, `nothing was ${term}`);
  }
  return {
    ...proof.terms,
    unexplained: proof.unexplained,
    uploads: uploads.length,
    doubles: doubles.length,
    linked_as_the_truth_says: linkedRight.length,
  };
}
