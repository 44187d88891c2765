// A worker is killed, as by kill -9, at every step of collecting and delivering. Another one takes
// over: each record is at Qonto exactly once, and everything is explained.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertOnceAndExplained, buy, integrated, itemIn, retire, sync } from '../support/flow.mjs';
import { Installation } from '../support/installation.mjs';

const STEPS = {
  'page.pulled': 'with a page in hand that is not stored yet',
  'page.stored': 'when a page was stored',
  'delivery.claimed': 'when the attempt is committed and nothing was sent',
  'delivery.sent': 'when the target has the document and nobody knows it yet',
  'delivery.stored': 'when the outcome was committed',
};
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
      for (const { id } of charges) await itemIn(flow, id, 'delivered');
      await assertOnceAndExplained(
        flow,
        charges.map(({ id }) => id),
      );
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

  test('and the server that answers people never noticed', async () => {
    assert.equal((await flow.api.call('GET', flow.at)).status, 200);
    assert.doesNotMatch(installation.log('serve'), /"level":"(error|fatal)"/);
  });
});
