// A worker is killed, as by kill -9, at every step of collecting and delivering. Another one takes
// over: each record is at Qonto exactly once, and everything is explained.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sleep } from '../../../deploy/local/demo/api.mjs';
import {
  assertLookedLateEnough,
  assertOnceAndExplained,
  buy,
  deliveriesOf,
  integrated,
  itemIn,
  retire,
  sync,
} from '../support/flow.mjs';
import { Installation, psql } from '../support/installation.mjs';

const STEPS = {
  'page.pulled': 'with a page in hand that is not stored yet',
  'page.stored': 'when a page was stored',
  'delivery.claimed': 'when the attempt is committed and nothing was sent',
  'delivery.sent': 'when the target has the document and nobody knows it yet',
  'delivery.stored': 'when the outcome was committed',
};
/** Where nobody knows whether the document went out. */
const UNKNOWN = ['delivery.claimed', 'delivery.sent'];
const installation = new Installation('killed');
let flow;
let worker;

/** The machine that the worker ran on is gone, and its lease is over. */
async function lose(lost) {
  lost.child.kill('SIGKILL');
  await lost.ended;
  installation.expireLeases();
}

async function diesOf(fault) {
  const dying = installation.work({ fault: `${fault}:kill` });
  const nudge = setInterval(() => sync(flow).catch(() => {}), 1000);
  const timer = setTimeout(() => dying.child.kill('SIGTERM'), 30_000);
  const { signal } = await dying.ended;
  clearInterval(nudge);
  clearTimeout(timer);
  assert.equal(signal, 'SIGKILL', `${fault} was never reached`);
  installation.expireLeases();
}

before(async () => {
  await installation.prepare();
  const site = await installation.serve();
  worker = installation.work();
  flow = await integrated({ at: site });
});
after(async () => {
  if (flow) await retire(flow);
  await installation.stop();
});

describe('a worker dies', () => {
  for (const [point, when] of Object.entries(STEPS)) {
    test(when, async () => {
      await lose(worker);
      const charges = await buy(flow, 2);
      await diesOf(`${point}:1`);
      worker = installation.work();
      const deliveries = [];
      for (const { id } of charges)
        deliveries.push(...(await deliveriesOf(flow, await itemIn(flow, id, 'delivered'))));
      await assertOnceAndExplained(
        flow,
        charges.map(({ id }) => id),
      );
      if (!UNKNOWN.includes(point)) return;
      const lost = deliveries.filter(({ attempts }) => attempts[0].status !== 'ok');
      assert.ok(lost.length > 0, 'no attempt was lost');
      lost.forEach(assertLookedLateEnough);
    });
  }

  test('with a job that it had just claimed, four times in a row', async () => {
    await lose(worker);
    const charges = await buy(flow, 2);
    for (let n = 1; n <= 4; n += 1) await diesOf(`job.claimed:${n}`);
    worker = installation.work();
    for (const { id } of charges) await itemIn(flow, id, 'delivered');
    await assertOnceAndExplained(
      flow,
      charges.map(({ id }) => id),
    );
  });

  test('while it renews tokens: jobs wait in the queue, and go on when it is known dead', async () => {
    const other = psql(
      installation.region,
      `WITH w AS (INSERT INTO region.worker (host, process_id, lease_until)
         VALUES ('elsewhere', 1, now() + interval '1 hour') RETURNING id),
       held AS (UPDATE region.connection SET access_expires_at = now(), refreshing_worker = w.id,
         refreshing_claim = gen_random_uuid(), refreshing_until = now() + interval '1 hour'
         FROM w WHERE provider = 'stripe' AND state = 'enabled')
       SELECT id FROM w`,
    ).trim();
    const [charge] = await buy(flow);
    const took = [];
    for (let i = 0; i < 20; i += 1) {
      await sleep(250);
      const running = psql(
        installation.region,
        'SELECT count(*), coalesce(max(attempt), 0) FROM region.job WHERE kind = 0 AND state = 1',
      );
      took.push(running.trim().split('|').map(Number));
    }
    const busy = took.filter(([running]) => running > 0).length;
    assert.ok(busy <= 10, `a thread was held in ${busy} of ${took.length} looks`);
    assert.ok(took.every(([, attempt]) => attempt <= 1), 'waiting counted as an attempt');
    assert.match(installation.log('work'), /"event":"job.failed".*"code":"busy"/);
    psql(installation.region, `DELETE FROM region.worker WHERE id = ${other}`);
    await itemIn(flow, charge.id, 'delivered');
    await assertOnceAndExplained(flow, [charge.id]);
  });

  test('and the server that answers people never noticed', async () => {
    assert.equal((await flow.api.call('GET', flow.at)).status, 200);
    assert.doesNotMatch(installation.log('serve'), /"level":"(error|fatal)"/);
  });
});
