// One worker after another is made to fail, or is killed, at the n-th pass of a fault point, while
// purchases go from Stripe into Qonto. Started by tests/e2e/faults.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { authorise } from '../../deploy/local/demo/connect.mjs';
import { Browser, sleep } from '../../deploy/local/demo/api.mjs';
import { assertOnceAndExplained, buy, integrated, itemOf, rest, statusOf, sync } from '../api/support/flow.mjs';
import { Installation, psql } from '../api/support/installation.mjs';
import { control } from '../api/support/stack.mjs';

const CONTIGUOUS = 4; // n = 1, 2, 3, 4, then in growing steps
const STEP = 1.7;
const SETTLED_S = 90;
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
  return lines.filter((line) => line.startsWith(`${point} `)).reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
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
    const { authorize_url: url } = await flow.api.expect(200, 'POST', `${flow.at}/connections/${id}/reconnect`, { body: {} });
    await authorise({ browser: new Browser(), url });
  }
}

async function delivered(ids) {
  const items = await flow.api.all(`${flow.at}/items?integration_id=${flow.integration.id}&state=delivered`);
  const there = new Set(items.map(({ source_id: id }) => id));
  return ids.every((id) => there.has(id));
}

/** Two purchases while a worker has this plan; when it dies, another one takes over. */
async function run(plan) {
  rmSync(report, { force: true });
  await control.post('/control/stripe/expire_access_tokens');
  await control.post('/control/qonto/expire_access_tokens');
  const ids = (await buy(flow, 2)).map(({ id }) => id);
  let worker = installation.work({ fault: plan, report });
  let died = false;
  const end = Date.now() + SETTLED_S * 1000;
  while (!await delivered(ids)) {
    if (Date.now() > end) {
      const items = await Promise.all(ids.map((id) => itemOf(flow, id)));
      assert.fail(`not delivered in ${SETTLED_S} s: ${items.map(({ state }) => state)}; ${JSON.stringify((await statusOf(flow)).problems)}`);
    }
    if (worker.child.exitCode !== null || worker.child.signalCode !== null) {
      died = true;
      installation.expireLeases();
      worker = installation.work();
    }
    await mend();
    await sync(flow).catch(() => {});
    await sleep(250);
  }
  await rest(flow, { seconds: SETTLED_S });
  worker.child.kill('SIGTERM');
  const { code, signal } = await worker.ended;
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, 'the last worker did not stop in order');
  await assertOnceAndExplained(flow, ids);
  return died;
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
        const applied = (database) => psql(database, 'SELECT number FROM region.migration ORDER BY 1');
        assert.equal(applied('migrated'), applied('faulty'));
      },
    );
  });
}
