// One worker after another is made to fail, or is killed, at the n-th pass of a fault point, while
// purchases go from Stripe into Qonto. Started by tests/e2e/faults.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { authorise } from '../../deploy/local/demo/connect.mjs';
import { Browser, sleep } from '../../deploy/local/demo/api.mjs';
import {
  assertOnceAndExplained,
  buy,
  integrated,
  itemOf,
  rest,
  statusOf,
  sync,
} from '../api/support/flow.mjs';
import { Installation, psql } from '../api/support/installation.mjs';
import { control } from '../api/support/stack.mjs';

const CONTIGUOUS = 4; // n = 1, 2, 3, 4, then in growing steps
const STEP = 1.7;
const SETTLED_S = 90;
const PATIENCE_S = 80; // so long before the end, renewing tokens is anybody's
const KILLS_MAX = 3;
/** Reached by `sluice migrate` only. */
const OF_MIGRATION = ['file.read'];

const header = readFileSync(new URL('../../server/base/fault.h', import.meta.url), 'utf8');
const every = [...header.matchAll(/X\(FAULT_\w+,\s*"([a-z.]+)"\)/g)].map(([, name]) => name);
const asked = (process.env.SLUICE_FAULT_POINTS ?? '').split(' ').filter(Boolean);
const points = every.filter((name) => asked.length === 0 || asked.includes(name));
assert.ok(every.length > 10 && points.length > 0, 'no fault points were read');

const installation = new Installation('faulty');
const report = join(installation.dir, 'reached');
let flow;

/** How often the point was reached by the processes that wrote the report. */
function reached(point) {
  const lines = existsSync(report) ? readFileSync(report, 'utf8').split('\n') : [];
  return lines
    .filter((line) => line.startsWith(`${point} `))
    .reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
}

before(async () => {
  await installation.prepare();
  const site = await installation.serve();
  const worker = installation.work();
  flow = await integrated({ at: site });
  worker.child.kill('SIGTERM');
  await worker.ended;
});
after(() => installation.stop());

/** A person connects again where the status page asks for it: an answer with new tokens was lost. */
async function mend() {
  const status = await statusOf(flow);
  for (const { id, state } of [status.source, status.target]) {
    if (state !== 'need_reconnect') continue;
    const { authorize_url: url } = await flow.api.expect(
      200,
      'POST',
      `${flow.at}/connections/${id}/reconnect`,
      { body: {} },
    );
    await authorise({ browser: new Browser(), url });
  }
}

/** What is held, since by now it looks like one of the many before it, is approved by a person. */
async function delivered(ids) {
  const all = await flow.api.all(`${flow.at}/items?integration_id=${flow.integration.id}`);
  const items = all.filter(({ source_id: id }) => ids.includes(id));
  for (const { id } of items.filter(({ state }) => state === 'held' || state === 'stopped')) {
    const path = `${flow.at}/review/${id}/approve`;
    await flow.api.expect(200, 'POST', path, { body: { create: true } });
  }
  return items.length === ids.length && items.every(({ state }) => state === 'delivered');
}

/** The worker of now, and whether one died. Another one takes over from a dead one. */
class Shift {
  died = false;

  constructor(plan) {
    this.worker = installation.work({ fault: plan, report });
  }

  relieve() {
    const { exitCode, signalCode } = this.worker.child;
    if (exitCode === null && signalCode === null) return;
    this.died = true;
    installation.expireLeases();
    this.worker = installation.work();
  }

  async end(signal) {
    this.worker.child.kill(signal);
    return this.worker.ended;
  }
}

async function settle(ids, shift) {
  const end = Date.now() + SETTLED_S * 1000;
  while (!(await delivered(ids))) {
    if (Date.now() > end) {
      const states = await Promise.all(ids.map(async (id) => (await itemOf(flow, id)).state));
      const { problems } = await statusOf(flow);
      assert.fail(`after ${SETTLED_S} s they are ${states}; ${JSON.stringify(problems)}`);
    }
    shift.relieve();
    if (end - Date.now() < PATIENCE_S * 1000) installation.expireRefreshes();
    await mend();
    await sync(flow).catch(() => {});
    await sleep(250);
  }
  await rest(flow, { seconds: SETTLED_S });
}

/** Two purchases while a worker has this plan. @returns {Promise<boolean>} whether it died */
async function run(plan) {
  rmSync(report, { force: true });
  await control.post('/control/stripe/expire_access_tokens');
  await control.post('/control/qonto/expire_access_tokens');
  await control.post('/control/qonto/clear_limits'); // Qonto counts the 401s of an hour
  const ids = (await buy(flow, 2)).map(({ id }) => id);
  const shift = new Shift(plan);
  try {
    await settle(ids, shift);
    const ended = await shift.end('SIGTERM');
    const inOrder = ended.code === 0 || (ended.signal === 'SIGKILL' && plan.endsWith(':kill'));
    assert.ok(inOrder, `the last worker ended with ${JSON.stringify(ended)}`);
  } finally {
    await shift.end('SIGKILL');
  }
  await assertOnceAndExplained(flow, ids);
  return shift.died;
}

for (const point of points.filter((name) => !OF_MIGRATION.includes(name))) {
  describe(point, () => {
    test('fails', async (t) => {
      let tries = 0;
      for (let n = 1; ; n = n < CONTIGUOUS ? n + 1 : Math.ceil(n * STEP)) {
        await run(`${point}:${n}`);
        if (reached(point) < n) break;
        tries += 1;
      }
      t.diagnostic(`${point} failed in ${tries} runs`);
      assert.ok(tries > 0, `${point} was never reached`);
    });

    test('is where the worker is killed', async () => {
      for (let n = 1; n <= KILLS_MAX; n += 1) {
        const died = await run(`${point}:${n}:kill`);
        assert.ok(died || n > 1, `${point} was never reached`);
        if (!died) break;
      }
    });
  });
}

for (const point of points.filter((name) => OF_MIGRATION.includes(name))) {
  test(`${point}: a migration that fails leaves nothing half done`, () => {
    const migrated = new Installation('migrated');
    rmSync(report, { force: true });
    return migrated.prepare({ fault: `${point}:3`, report }).then(
      () => assert.fail('it was not noticed'),
      (error) => {
        assert.match(String(error.stderr), /^sluice: /);
        assert.ok(reached(point) >= 3, `${point} was never reached`);
        migrated.run('migrate');
        const applied = (database) =>
          psql(database, 'SELECT number FROM region.migration ORDER BY 1');
        assert.equal(applied('migrated'), applied('faulty'));
      },
    );
  });
}
