// One worker after another is made to fail, or is killed, at the n-th pass of a fault point, while
// purchases go from Stripe into Qonto; then one server after another, while a person renews a
// connection and comments on an item. Started by tests/e2e/faults.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { authorise, settled } from '../../deploy/local/demo/connect.mjs';
import { Browser, sleep } from '../../deploy/local/demo/api.mjs';
import {
  assertOnceAndExplained,
  buy,
  integrated,
  itemOf,
  purchase,
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
/** Reached while files are read, before anything is served: tried with `sluice migrate`. */
const OF_MIGRATION = ['file.read'];
/** Reached by `sluice serve`, too. */
const OF_SERVING = [
  'db.connect',
  'db.send',
  'db.result',
  'db.commit',
  'db.committed',
  'net.connect',
  'net.send',
  'net.response',
];
const TRIES_MAX = 60; // of one call of a person's, half a second apart

const header = readFileSync(new URL('../../server/base/fault.h', import.meta.url), 'utf8');
const every = [...header.matchAll(/X\(FAULT_\w+,\s*"([a-z.]+)"\)/g)].map(([, name]) => name);
const words = (process.env.SLUICE_FAULT_POINTS ?? '').split(' ').filter(Boolean);
const verbs = words.filter((word) => word === 'work' || word === 'serve');
const asked = words.filter((word) => !verbs.includes(word));
const wanted = (verb) => verbs.length === 0 || verbs.includes(verb);
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

for (const point of points.filter((name) => wanted('work') && !OF_MIGRATION.includes(name))) {
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

/** The server with a plan, or another one when it does not even start with it. */
async function serveWith(plan) {
  try {
    await installation.serve({ fault: plan, report });
  } catch {
    await installation.serving.ended;
    await installation.serve();
  }
}

/** Another server takes the place of one that died. */
async function relieveServer() {
  const { exitCode, signalCode } = installation.serving.child;
  if (exitCode === null && signalCode === null) return;
  installation.expireCalls();
  await installation.serve();
}

/**
 * Asks until it is answered, as a client does: the same call, under the same key. A server that
 * cannot says so; it never says that it does not know what happened to it.
 */
async function persist(ask) {
  for (let n = 0; n < TRIES_MAX; n += 1) {
    const answer = await ask().catch((error) => {
      if (error.name === 'TypeError') return { status: 0 }; // of fetch: no answer at all
      throw error;
    });
    const running = answer.status === 409 && answer.body?.code === 'idempotency_running';
    if (answer.status > 0 && answer.status < 500 && !running) return answer;
    assert.ok([0, 409, 502, 503, 504].includes(answer.status), JSON.stringify(answer.body));
    await sleep(500);
    await relieveServer();
  }
  return assert.fail('it was never answered');
}

const post = (path, body) => {
  const key = randomUUID();
  return persist(() => flow.api.call('POST', path, { body, key }));
};

/** An authorisation that was cut off is begun anew. */
async function renew() {
  const path = `${flow.at}/connections/${flow.stripe.id}`;
  for (let n = 0; n < TRIES_MAX; n += 1) {
    const asked = await post(`${path}/reconnect`, {});
    if (asked.status === 200) {
      await authorise({ browser: new Browser(), url: asked.body.authorize_url }).catch(() => {});
      await relieveServer();
      const now = await persist(() => flow.api.call('GET', path));
      if (['processing', 'enabled', 'degraded'].includes(now.body.state)) return;
    }
    await sleep(200);
  }
  assert.fail('it could not be authorised');
}

async function stopServer(signal = 'SIGTERM') {
  const { child, ended } = installation.serving;
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await ended;
}

/** How often a server passes the point that starts and stops, and is asked nothing. */
async function passesOfStart(point) {
  rmSync(report, { force: true });
  await installation.serve({ report });
  await stopServer();
  return reached(point);
}

/** Without a plan: it arrived, was said once, and all of it is explained. */
async function proven(charge, item, text) {
  await installation.serve();
  await settled({ api: flow.api, at: flow.at, id: flow.stripe.id });
  const said = JSON.stringify(await flow.api.get(`${flow.at}/items/${item}`)).split(text).length - 1;
  assert.equal(said, 1, `the comment is there ${said} times`);
  const end = Date.now() + SETTLED_S * 1000;
  while (!(await delivered([charge.id]))) {
    assert.ok(Date.now() < end, `${charge.id} is not there after ${SETTLED_S} s`);
    await sync(flow).catch(() => {});
    await sleep(250);
  }
  await assertOnceAndExplained(flow, [charge.id]);
}

/** What a person does while the server has this plan. @returns {Promise<boolean>} whether it died */
async function serveRun(plan, item) {
  rmSync(report, { force: true });
  try {
    await serveWith(plan);
    const { child } = installation.serving;
    await renew();
    const [charge] = await control.post('/control/stripe/charges', [purchase()]);
    const text = `Seen with ${plan} ${randomUUID()}`;
    assert.equal((await post(`${flow.at}/review/${item}/comment`, { text })).status, 201);
    await stopServer();
    await proven(charge, item, text);
    return child.signalCode === 'SIGKILL';
  } finally {
    await stopServer('SIGKILL');
  }
}

describe('the server that people speak with', { skip: !wanted('serve') }, () => {
  let worker;
  let item;
  before(async () => {
    worker = installation.work();
    const [charge] = await buy(flow);
    item = (await itemOf(flow, charge.id)).id;
    await rest(flow);
    await stopServer();
  });
  after(async () => {
    worker.child.kill('SIGTERM');
    await worker.ended;
    await installation.serve();
  });

  for (const point of points.filter((name) => OF_SERVING.includes(name))) {
    test(`fails at ${point}`, async (t) => {
      let tries = 0;
      for (let n = 1; ; n = n < CONTIGUOUS ? n + 1 : Math.ceil(n * STEP)) {
        await serveRun(`${point}:${n}`, item);
        if (reached(point) < n) break;
        tries += 1;
      }
      t.diagnostic(`${point} failed in ${tries} runs`);
      assert.ok(tries > 0, `${point} was never reached`);
    });

    test(`is killed at ${point}`, async () => {
      const first = await passesOfStart(point);
      for (let n = 1; n <= KILLS_MAX; n += 1) {
        const died = await serveRun(`${point}:${first + n}:kill`, item);
        assert.ok(died || n > 1, `${point} was never reached`);
        if (!died) break;
      }
    });
  }

  test('reaches no other point', { skip: asked.length > 0 }, async () => {
    await serveRun('job.claimed:1', item);
    const met = every.filter((name) => reached(name) > 0 && !OF_MIGRATION.includes(name));
    assert.deepEqual(met.filter((name) => !OF_SERVING.includes(name)), []);
  });
});

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
