// The Stripe connector alone, against the simulated MCP and authorisation servers over TLS: what it
// reads, what it makes of every form of answer, and what it says when the provider misbehaves.
//
//   STRIPE_PROBE=build/dev/tests/e2e/stripe_probe node --test tests/e2e/stripe_connector.test.mjs

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const PROBE = process.env.STRIPE_PROBE ?? join(ROOT, 'build/dev/tests/e2e/stripe_probe');
const SIMULATORS = join(ROOT, 'simulators');
const START_S = 30;

const dir = mkdtempSync(join(tmpdir(), 'stripe-connector-'));
let simulators;
let where;
const probes = new Set();
/** Everything that the programs wrote. */
const said = [];

before(async () => {
  simulators = spawn(process.execPath, ['main.mjs', '--dir', dir], { cwd: SIMULATORS });
  const file = join(dir, 'simulators.json');
  for (let i = 0; i < START_S * 10 && !existsSync(file); i += 1) await sleep(100);
  where = JSON.parse(readFileSync(file, 'utf8'));
});

after(() => {
  for (const probe of probes) probe.kill();
  simulators.kill();
  rmSync(dir, { recursive: true, force: true });
});

async function control(path, body, method = body === undefined ? 'GET' : 'POST') {
  const answer = await fetch(`${where.control_url}/control/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${path}: ${text}`);
  return text ? JSON.parse(text) : null;
}

const fault = (kind, params = {}, times = 1, match = { tool: 'stripe_api_read' }) => (
  control('faults', { provider: 'stripe', match, kind, params, times }));

/** Sets switches of the simulator; the answer sets them back. */
async function switchTo(form) {
  const { switches } = await control('stripe/switches');
  const usual = Object.fromEntries(Object.keys(form).map((name) => [name, switches[name]]));
  await control('stripe/switches', form);
  return () => control('stripe/switches', usual);
}

/** One program; commands are answered in order. `drain` collects its pages. */
function openProbe() {
  const child = spawn(PROBE, [where.stripe.mcp_url, where.ca_file,
    new URL(where.stripe.mcp_url).host, new URL(where.stripe.issuer).host]);
  probes.add(child);
  child.stderr.on('data', (text) => said.push(String(text)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (command) => {
    child.stdin.write(`${command}\n`);
    const { value, done } = await lines.next();
    assert.ok(!done, `the program ended at "${command}"`);
    said.push(value);
    return JSON.parse(value);
  };
  const pull = (stream) => ask(`pull ${stream} 1`);
  return {
    ask,
    pull,
    async drain(stream) {
      const records = [];
      for (let more = true; more;) {
        const page = await pull(stream);
        assert.equal(page.error, undefined, page.detail);
        assert.equal(page.rows_received, page.records.length);
        records.push(...page.records);
        more = page.more;
      }
      return records;
    },
    async connect() {
      assert.ifError((await ask('authorise')).error);
      assert.ifError((await ask('probe')).error);
      return this;
    },
    close: () => child.stdin.end(),
  };
}

const byId = (records) => new Map(records.map((record) => [record.id, record]));

describe('reading', () => {
  test('every charge and refund that should post is read, once', async () => {
    const probe = await openProbe().connect();
    const charges = await probe.drain('stripe.charges');
    const refunds = await probe.drain('stripe.refunds');
    const { truth } = await control('stripe/truth');
    for (const [kind, records] of [['charge', charges], ['refund', refunds]]) {
      const posting = records.filter((record) => record.posting === 'post').map(({ id }) => id);
      const expected = truth.filter((row) => row.kind === kind).map((row) => row.source_id);
      assert.deepEqual(posting.toSorted(), expected.toSorted());
      assert.equal(byId(records).size, records.length);
      assert.ok(records.every((record) => !record.quarantine));
    }
    assert.ok(refunds.every((refund) => byId(charges).has(refund.parent)));
    assert.deepEqual((await probe.pull('stripe.charges')).records, []);
    assert.deepEqual((await probe.pull('stripe.refunds')).records, []);
    probe.close();
  });

  test('minor units of every currency come out right', async () => {
    const probe = await openProbe().connect();
    await probe.drain('stripe.charges');
    const made = [];
    for (const [amount, currency] of [[500, 'jpy'], [5120, 'kwd'], [1999, 'usd']]) {
      made.push(await control('stripe/charges', { amount, currency }));
    }
    const records = byId(await probe.drain('stripe.charges'));
    const amounts = made.map((charge) => charge.id).map((id) => records.get(id));
    assert.deepEqual(amounts.map(({ amount, currency }) => `${amount} ${currency}`),
      ['500 JPY', '5.120 KWD', '19.99 USD']);
    probe.close();
  });

  test('what arrives while a scan runs, and what a crash forgets, is read all the same', async () => {
    const probe = await openProbe().connect();
    const first = await probe.pull('stripe.charges');
    assert.ok(first.more);
    const late = await control('stripe/charges', { amount: 4200, currency: 'eur' });
    await probe.ask('rewind stripe.charges');
    const again = await probe.pull('stripe.charges');
    assert.deepEqual(again.records.slice(1).map(({ id }) => id),
      first.records.slice(0, -1).map(({ id }) => id));
    assert.equal(again.records[0].id, late.id);
    const later = await control('stripe/charges', { amount: 4300, currency: 'eur' });
    const old = again.records.concat(await probe.drain('stripe.charges'));
    await probe.ask('rewind stripe.charges');
    const ids = new Set(old.concat(await probe.drain('stripe.charges')).map(({ id }) => id));
    assert.ok(ids.has(late.id) && ids.has(later.id));
    const { truth } = await control('stripe/truth');
    for (const row of truth.filter((it) => it.kind === 'charge')) assert.ok(ids.has(row.source_id));
    probe.close();
  });

  test('more charges in one second than a page holds are all read, each once', async () => {
    const probe = await openProbe().connect();
    await probe.drain('stripe.charges');
    const many = Array.from({ length: 150 }, (_, i) => ({ amount: 100 + i, currency: 'eur' }));
    const made = await control('stripe/charges', many);
    const records = await probe.drain('stripe.charges');
    assert.equal(byId(records).size, records.length);
    assert.deepEqual(records.map(({ id }) => id).toSorted(), made.map(({ id }) => id).toSorted());
    assert.deepEqual((await probe.pull('stripe.charges')).records, []);
    probe.close();
  });

  test('a charge that settles late, a refund that fails late and a dead one are met again',
    async () => {
      const probe = await openProbe().connect();
      const charges = await probe.drain('stripe.charges');
      const refunds = await probe.drain('stripe.refunds');
      const [held, pending] = ['not_captured', 'pending'].map((reason) => (
        charges.find((record) => record.reason === reason)));
      await control(`stripe/objects/${held.id}`, { captured: true });
      const settled = await probe.drain('stripe.charges');
      assert.deepEqual(settled.map(({ id, posting }) => [id, posting]), [[held.id, 'post']]);

      const good = refunds.find((record) => record.posting === 'post');
      await control(`stripe/objects/${good.id}`, { status: 'failed' });
      const undone = await probe.drain('stripe.refunds');
      assert.deepEqual(undone.map(({ id, posting }) => [id, posting]), [[good.id, 'correct']]);

      // No money moves when a pending charge fails: only looking again can tell.
      await control(`stripe/objects/${pending.id}`, { status: 'failed' });
      assert.deepEqual(await probe.drain('stripe.charges'), []);
      await probe.ask(`clock ${7 * 3600}`);
      const dead = byId(await probe.drain('stripe.charges'));
      assert.equal(dead.get(pending.id).posting, 'ignore');
      probe.close();
    });
});

describe('every form of answer', () => {
  const forms = [
    { response: 'json' },
    { response: 'json', sessions: false },
    { response: 'sse', chunk_bytes: 3 },
    { response: 'sse', chunk_bytes: 7 },
    { response: 'sse', resumption: 'priming' },
    { response: 'sse', resumption: 'poll', retry_ms: 20 },
    { response: 'sse', ping_first: true },
    { response: 'sse', tools_page: 3 },
    { dcr_status: 200 },
    { era: 'modern', response: 'json' },
    { era: 'modern', response: 'sse', chunk_bytes: 11 },
    { era: 'modern', tools_page: 3, cache_ttl_ms: 60_000 },
    { era: 'modern', param_headers: true },
    { era: 'both', response: 'json' },
    { era: 'both', sessions: false },
  ];
  for (const form of forms) {
    test(JSON.stringify(form), async () => {
      const restore = await switchTo(form);
      try {
        const probe = await openProbe().connect();
        const { mcp_era: era } = JSON.parse((await probe.ask('probe')).capabilities);
        assert.equal(era, form.era ? 'modern' : 'legacy');
        assert.ok((await probe.drain('stripe.charges')).length > 50);
        assert.deepEqual((await probe.pull('stripe.charges')).records, []);
        probe.close();
      } finally {
        await restore();
      }
    });
  }
});

for (const era of ['legacy', 'modern']) describe(`a provider that misbehaves, ${era}`, () => {
  let probe;
  let restore;
  before(async () => {
    restore = await switchTo({ era });
    probe = await openProbe().connect();
    await probe.drain('stripe.charges');
  });
  after(async () => {
    probe.close();
    await restore();
  });
  beforeEach(() => control('faults', undefined, 'DELETE'));

  const cases = [
    ['429', { retry_after: 5 }, 'provider_unavailable', (answer) => answer.retry_after_s === 5],
    ['429', {}, 'provider_unavailable'],
    ['5xx', {}, 'provider_unavailable'],
    ['5xx', { status: 500, body: '<html>', content_type: 'text/html' }, 'provider_unavailable'],
    // A kept connection that dies is tried anew by itself, since the call only reads: hence twice.
    ['cut', { at: 'before' }, 'provider_unavailable', , 2],
    ['cut', { at: 'middle' }, 'provider_unavailable'],
    ['lost_answer', {}, 'provider_unavailable', , 2],
    ['half_event', {}, 'provider_unavailable'],
    ['html', {}, 'provider_protocol'],
    ['html', { status: 405 }, 'provider_protocol'],
    ['huge', {}, 'provider_protocol'],
    ['redirect', { location: 'https://127.0.0.1:1/' }, 'provider_protocol'],
    ['wrong_type', {}, 'provider_protocol'],
    ['tool_error', { text: 'Stripe API error: Something new.' }, 'provider_unavailable'],
    ['tool_error', { text: "Your API key does not have the required permissions for 'GetCharges'."
      + " Check your key's permissions and try again." }, 'provider_scope'],
    ['tool_error', { text: 'Stripe API error: Received unknown parameter: created' },
      'provider_validation'],
  ];
  for (const [kind, params, error, more, times = 1] of cases) {
    test(`${kind} ${JSON.stringify(params).slice(0, 60)}: ${error}, and nothing is lost`,
      async () => {
        const charge = await control('stripe/charges', { amount: 1200, currency: 'eur' });
        // In the modern era a 405 throws doubt on the era: it is asked for, and the call sent again.
        await fault(kind, params, params.status === 405 && era === 'modern' ? 2 : times);
        const answer = await probe.pull('stripe.charges');
        assert.equal(answer.error, error, JSON.stringify(answer).slice(0, 400));
        assert.ok(!more || more(answer), JSON.stringify(answer));
        const records = byId(await probe.drain('stripe.charges'));
        assert.equal(records.get(charge.id)?.posting, 'post');
      });
  }

  test('an expired token is refreshed once, and the pull goes through', async () => {
    await control('stripe/expire_access_tokens', {});
    const page = await probe.pull('stripe.charges');
    assert.ifError(page.error);
    assert.equal(page.refreshes, 1);
    await fault('expired_token');
    assert.equal((await probe.pull('stripe.charges')).refreshes, 2);
  });

  test('a lost session is opened anew', async () => {
    await control('stripe/drop_sessions', {});
    assert.ifError((await probe.pull('stripe.charges')).error);
  });

  test('a property that cannot be expanded is done without', async () => {
    await probe.drain('stripe.charges');
    const charge = await control('stripe/charges', { amount: 1300, currency: 'eur',
      customer: { name: 'Nobody Ltd' }, billing_details: { name: 'N. Body' } });
    await fault('tool_error', {
      text: 'Stripe API error: This property cannot be expanded (customer).' });
    const records = byId((await probe.pull('stripe.charges')).records);
    assert.equal(records.get(charge.id).party, 'N. Body');
  });
});

describe('the era of the protocol', () => {
  const eraOf = async (probe) => JSON.parse((await probe.ask('probe')).capabilities).mcp_era;
  let restore;
  beforeEach(async () => {
    await control('requests', undefined, 'DELETE');
  });
  const requests = async () => (await control('requests?provider=stripe')).requests;

  test('is asked for once, and found anew when the server changes', async () => {
    restore = await switchTo({ era: 'legacy' });
    const probe = await openProbe().connect();
    assert.equal(await eraOf(probe), 'legacy');
    await probe.drain('stripe.charges');
    for (const era of ['modern', 'legacy', 'both', 'legacy']) {
      await control('stripe/switches', { era });
      await control('stripe/drop_sessions', {});
      const made = await control('stripe/charges', { amount: 700, currency: 'eur' });
      assert.deepEqual((await probe.drain('stripe.charges')).map(({ id }) => id), [made.id], era);
    }
    await restore();
    probe.close();
  });

  test('headers repeat what the tools want repeated, when the server insists', async () => {
    restore = await switchTo({ era: 'modern' });
    const probe = await openProbe().connect();
    await probe.drain('stripe.charges');
    await control('stripe/switches', { param_headers: true });
    const made = await control('stripe/charges', { amount: 800, currency: 'eur' });
    assert.deepEqual((await probe.drain('stripe.charges')).map(({ id }) => id), [made.id]);
    await control('stripe/switches', { param_headers: false });
    await restore();
    probe.close();
  });

  test('a call that wants a person first is told as that', async () => {
    restore = await switchTo({ era: 'modern' });
    const probe = await openProbe().connect();
    await control('stripe/switches', { input_required: 'person' });
    const answer = await probe.pull('stripe.charges');
    assert.equal(answer.error, 'provider_approval');
    await control('stripe/switches', { input_required: 'state' });
    assert.equal((await probe.pull('stripe.charges')).error, undefined);
    await control('stripe/switches', { input_required: 'off' });
    await restore();
    probe.close();
  });

  for (const [era, form] of [['legacy', { notices: true, resumption: 'priming' }],
    ['modern', {}]]) {
    test(`notices are heard, over a cut and a resumption: ${era}`, async () => {
      restore = await switchTo({ era, ...form });
      const probe = await openProbe().connect();
      const uri = 'stripe://events';
      const told = probe.ask(`listen ${uri} 5`);
      await sleep(700);
      await control('stripe/notify', { uri: 'stripe://elsewhere' });
      await control('stripe/notify', { uri });
      assert.deepEqual(await told, { end: 'stopped', acknowledged: true, uri });
      const again = probe.ask(`listen ${uri} 5`);
      await sleep(700);
      if (era === 'modern') {
        await control('stripe/cut_streams', {});
        assert.deepEqual(await again, { end: 'closed', acknowledged: true, uri: null });
      } else {
        await control('stripe/notify', { uri });
        assert.equal((await again).end, 'stopped');
      }
      await restore();
      probe.close();
    });
  }

  test('a server that tells nothing is no failure', async () => {
    restore = await switchTo({ get_stream: false });
    const probe = await openProbe().connect();
    assert.equal((await probe.ask('listen stripe://events 5')).end, 'not_offered');
    await restore();
    probe.close();
  });

  test('a legacy session is ended before its tokens are', async () => {
    const probe = await openProbe().connect();
    await control('requests', undefined, 'DELETE');
    assert.equal((await probe.ask('revoke')).complete, true);
    const seen = (await requests()).map(({ method, status }) => [method, status]);
    assert.deepEqual(seen, [['DELETE', 200], ['POST', 200], ['POST', 200]]);
    probe.close();
  });
});

describe('authorisation that goes wrong', () => {
  async function attempt(form) {
    const restore = await switchTo(form);
    const probe = openProbe();
    try {
      const answer = await probe.ask('authorise');
      return answer.error ? answer : await probe.ask('probe');
    } finally {
      probe.close();
      await restore();
    }
  }

  test('another server answers the callback', async () => {
    const answer = await attempt({ callback_iss: 'wrong' });
    assert.deepEqual([answer.error, answer.field], ['provider_protocol', 'iss']);
  });
  test('the issuer is announced and missing', async () => {
    const answer = await attempt({ callback_iss: 'none', callback_iss_advertised: true });
    assert.deepEqual([answer.error, answer.field], ['provider_protocol', 'iss']);
  });
  test('the person declines', async () => {
    const answer = await attempt({ consent: 'deny' });
    assert.deepEqual([answer.error, answer.field], ['provider_authentication', 'access_denied']);
  });
  test('the metadata names another issuer', async () => {
    const answer = await attempt({ metadata_issuer: 'https://elsewhere.example/mcp' });
    assert.deepEqual([answer.error, answer.field], ['provider_protocol', 'issuer']);
  });
  test('our redirect address is not on the list', async () => {
    const answer = await attempt({ redirect_uris_allowed: ['https://other.example/callback'] });
    assert.deepEqual([answer.error, answer.field], ['provider_validation', 'redirect_uri']);
  });
  test('the token is for another resource', async () => {
    const answer = await attempt({ token_resource: 'https://other.example' });
    assert.equal(answer.error, 'provider_authentication');
  });
  test('with nothing wrong it goes through', async () => {
    assert.equal((await attempt({})).error, undefined);
  });
});

describe('the end of a connection', () => {
  test('revocation is confirmed step by step, and then nothing is read', async () => {
    const probe = await openProbe().connect();
    assert.deepEqual(await probe.ask('revoke'), {
      steps: [{ what: 'refresh_token', status: 200, confirmed: true },
        { what: 'access_token', status: 200, confirmed: true }],
      complete: true,
    });
    assert.equal((await probe.pull('stripe.charges')).error, 'provider_authentication');
    probe.close();
  });

  test('a grant that was withdrawn asks for a person', async () => {
    const probe = await openProbe().connect();
    await control('stripe/kill_grants', {});
    const answer = await probe.ask('refresh');
    assert.deepEqual([answer.error, answer.field], ['provider_authentication', 'invalid_grant']);
    probe.close();
  });

  test('a revocation that does not arrive is not called complete', async () => {
    const probe = await openProbe().connect();
    await fault('5xx', {}, 1, { path: '/mcp/oauth2/revoke' });
    const answer = await probe.ask('revoke');
    assert.equal(answer.complete, false);
    assert.deepEqual(answer.steps.map((step) => step.confirmed), [false, true]);
    probe.close();
  });
});

test('no secret of the provider was ever written', async () => {
  const { secrets } = await control('secrets');
  const everything = said.join('\n');
  assert.ok(secrets.length > 50);
  for (const { kind, value } of secrets) assert.ok(!everything.includes(value), kind);
});
