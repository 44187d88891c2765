// Who may call what, tried for every route that there is. The table is not written here: it is read
// from `sluice routes`, which must say the same as the contract.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { buy, integrated, itemIn, retire } from '../support/flow.mjs';
import { psql } from '../support/installation.mjs';
import { assertRefused } from '../support/raw.mjs';
import {
  anybody,
  contract,
  control,
  join,
  keyOf,
  operator,
  site,
  workspace,
} from '../support/stack.mjs';

const ROLES = ['viewer', 'reviewer', 'admin', 'owner'];

/** @returns {{method, path, access, idempotent}[]} what the program says that it serves */
function routesOfProgram() {
  const text = execFileSync(process.env.SLUICE_PROGRAM, ['routes'], { encoding: 'utf8' });
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [method, path, access, idempotency] = line.split(/\s+/);
      return {
        method,
        path: path.replace(/:[a-z]+\}/g, '}'),
        access,
        idempotent: idempotency === 'idempotent',
      };
    });
}

function routesOfContract() {
  return contract.operations.map(({ method, path, operation }) => ({
    method,
    path,
    access: operation['x-access'],
    idempotent: operation['x-idempotency'] === 'required',
  }));
}

const named = ({ method, path, access, idempotent }) =>
  `${method} ${path} ${access}${idempotent ? ' idempotent' : ''}`;
const routes = routesOfProgram();
const inWorkspace = routes.filter(({ path }) => path.startsWith('/v1/workspaces/{workspace_id}'));

/** A body that the contract gives as an example, so that nothing but the caller is wrong. */
function exampleBody({ method, path }) {
  const { operation } = contract.operations.find((it) => it.method === method && it.path === path);
  const content = operation.requestBody?.content['application/json'];
  if (!content) return undefined;
  if (content.example) return structuredClone(content.example);
  let [first] = Object.values(content.examples);
  while (first.$ref) {
    first = first.$ref
      .slice(2)
      .split('/')
      .reduce((node, key) => node[key], contract.document);
  }
  return structuredClone(first.value);
}

function callTo(api, route, ids) {
  const path = route.path.replace(/\{(\w+)\}/g, (whole, name) => ids[name] ?? randomUUID());
  const headers = route.method === 'PATCH' ? { 'if-match': '"1"' } : {};
  const body = exampleBody(route);
  if (body?.user_id) body.user_id = null; // to nobody: the person of the example is not there either
  return api.call(route.method, path, { body, headers });
}

test('the program serves what the contract promises, and nothing else', () => {
  assert.deepEqual(routes.map(named).sort(), routesOfContract().map(named).sort());
  assert.ok(routes.length > 40, 'the table was not read');
});

test('every route says who may call it', () => {
  for (const { access, path } of routes) {
    assert.ok([...ROLES, 'public', 'user', 'operator'].includes(access), `${path}: ${access}`);
  }
  for (const { access, path } of inWorkspace)
    assert.ok(ROLES.includes(access), `${path}: ${access}`);
});

describe('a workspace full of everything', () => {
  let rich; // an integration with an item, a delivery, a problem and all that belongs to them
  let ids;
  let stranger; // owns another workspace, and is nobody here
  let strange;

  const snapshot = async () => {
    const { api, at, id } = rich;
    const lists = [
      'members',
      'api-keys',
      'connections',
      'integrations',
      'items',
      'problems',
      'deliveries',
      'review',
    ];
    const all = await Promise.all(lists.map((list) => api.all(`${at}/${list}`)));
    const still = all.map((rows) =>
      rows.map(({ last_used_at: a, last_success_at: b, updated_at: c, ...row }) => row),
    );
    return { id, workspace: await api.get(at), lists: still };
  };

  before(async () => {
    rich = await integrated();
    await control.fault({
      provider: 'qonto',
      kind: 'errors_200',
      params: { code: 'invalid' },
      match: { method: 'POST', path: '/v2/supplier_invoices/bulk' },
    });
    const [charge] = await buy(rich);
    const item = await itemIn(rich, charge.id, 'problem');
    const clerk = await join(rich, 'reviewer');
    const [problem] = (await rich.api.get(`${rich.at}/problems`)).data;
    const [delivery] = (await rich.api.get(`${rich.at}/deliveries`)).data;
    ids = {
      workspace_id: rich.id,
      user_id: clerk.id,
      api_key_id: rich.key.id,
      connection_id: rich.qonto.id,
      integration_id: rich.integration.id,
      record_id: item.record_id,
      item_id: item.id,
      counterparty_id: item.counterparty.id,
      problem_id: problem.id,
      delivery_id: delivery.id,
    };
    stranger = await join(await workspace(), 'viewer');
    strange = await site.workspace({ person: stranger.api });
  });
  after(async () => {
    await control.delete('/control/faults');
    if (rich) await retire(rich);
  });

  test('there is an object for every parameter of every route', () => {
    const parameters = new Set(inWorkspace.flatMap(({ path }) => path.match(/\w+(?=\})/g)));
    assert.deepEqual(
      [...parameters].filter((name) => !ids[name]),
      [],
    );
  });

  test('is not there for the owner of another one, nor for a key of another one', async () => {
    const before = await snapshot();
    for (const route of inWorkspace) {
      for (const api of [stranger.api, strange.api]) {
        const answer = await callTo(api, route, ids);
        assert.equal(answer.status, 404, `${named(route)} answered ${answer.status}`);
        assertRefused(answer, 404, 'not_found');
      }
    }
    assert.deepEqual(await snapshot(), before, 'a stranger changed something');
  });

  test('answers a stranger exactly as if it did not exist', async () => {
    const said = ({ body: { request_id: ignored, ...rest } }) => rest;
    for (const route of inWorkspace) {
      const there = await callTo(stranger.api, route, ids);
      const nowhere = await callTo(stranger.api, route, { ...ids, workspace_id: randomUUID() });
      assert.deepEqual(said(there), said(nowhere), named(route));
    }
  });

  const assertNothingBelowAnotherPath = async () => {
    const before = await snapshot();
    const mine = { ...ids, workspace_id: strange.id };
    for (const route of inWorkspace.filter(({ path }) => /\{(?!workspace_id)/.test(path))) {
      const answer = await callTo(stranger.api, route, mine);
      assert.equal(
        answer.status,
        404,
        `${named(route)} answered ${answer.status}: ${JSON.stringify(answer.body)}`,
      );
    }
    assert.deepEqual(await snapshot(), before, 'a stranger changed something');
  };

  test('its objects are not there below the path of another workspace', () =>
    assertNothingBelowAnotherPath());

  const assertNothingByForeignIds = async () => {
    const joined = await strange.api.call('POST', `${strange.at}/integrations`, {
      body: {
        name: 'theirs',
        source_connection_id: rich.stripe.id,
        target_connection_id: rich.qonto.id,
      },
    });
    assert.ok([404, 422].includes(joined.status), `${joined.status}`);
    const filters = ['items', 'problems', 'deliveries', 'review', 'conservation'].map(
      (list) => `${list}?integration_id=${ids.integration_id}`,
    );
    for (const list of [
      ...filters,
      `deliveries?item_id=${ids.item_id}`,
      `ledger?connection_id=${ids.connection_id}`,
      `audit?subject_id=${ids.integration_id}`,
    ]) {
      const answer = await strange.api.call('GET', `${strange.at}/${list}`);
      if (answer.status === 404) continue;
      assert.equal(answer.status, 200, list);
      const { data, terms } = answer.body;
      assert.deepEqual(data ?? [], [], list);
      assert.equal(terms?.seen ?? 0, 0, list);
    }
  };

  test('its ids in the body or the query of another workspace find nothing', () =>
    assertNothingByForeignIds());

  /** What the other workspace sees of everything that takes no more than a workspace. */
  const seenByStranger = () =>
    Promise.all(
      inWorkspace
        .filter(({ method, path }) => method === 'GET' && !/\{(?!workspace_id)/.test(path))
        .map(async (route) => {
          const { body } = await callTo(stranger.api, route, { workspace_id: strange.id });
          const rows = body.data?.map((row) => row.id ?? row.user?.id ?? row.item?.id);
          return [route.path, rows ?? body.terms ?? body.id ?? null];
        }),
    );

  test('all of it holds by the SQL alone, with row-level security switched off', async () => {
    const tables = psql(
      'sluice',
      "SELECT oid::regclass FROM pg_class WHERE relrowsecurity AND relnamespace = 'region'::regnamespace",
    )
      .trim()
      .split('\n');
    assert.ok(tables.length > 30, tables.join());
    const change = (verb) =>
      tables.forEach((table) => psql('sluice', `ALTER TABLE ${table} ${verb} ROW LEVEL SECURITY`));
    const guarded = await seenByStranger();
    change('DISABLE');
    try {
      assert.deepEqual(await seenByStranger(), guarded);
      await assertNothingBelowAnotherPath();
      await assertNothingByForeignIds();
    } finally {
      change('ENABLE');
    }
  });

  test('nobody calls without a credential, or with a false one', async () => {
    for (const route of routes.filter(({ access }) => access !== 'public')) {
      for (const api of [anybody, anybody.as('slk_nonsense'), anybody.as('a.b.c')]) {
        const answer = await callTo(api, route, ids);
        assert.equal(answer.status, 401, `${named(route)} answered ${answer.status}`);
      }
    }
  });

  test('a role weaker than the route asks for is refused, and may look where it may', async () => {
    const before = await snapshot();
    const keys = new Map();
    for (const role of ROLES.slice(0, 3)) keys.set(role, await keyOf(rich, role));
    const made = await snapshot();
    for (const route of inWorkspace) {
      for (const role of ROLES.slice(0, ROLES.indexOf(route.access))) {
        const answer = await callTo(keys.get(role), route, ids);
        assert.equal(answer.status, 403, `${named(route)} answered ${answer.status} to a ${role}`);
        assertRefused(answer, 403, 'forbidden');
      }
      if (route.method === 'GET') {
        const answer = await callTo(keys.get(route.access) ?? rich.person, route, ids);
        assert.equal(
          answer.status,
          200,
          `${named(route)} answered ${answer.status} to a ${route.access}`,
        );
      }
    }
    assert.notDeepEqual(made, before);
    assert.deepEqual(await snapshot(), made, 'a weaker role changed something');
  });

  test('what is for persons is not for keys, and what is for operators is for nobody else', async () => {
    for (const route of routes.filter(({ access }) => access === 'user' || access === 'operator')) {
      assertRefused(await callTo(rich.api, route, ids), 403, 'forbidden');
    }
    for (const route of routes.filter(({ access }) => access === 'operator')) {
      assertRefused(await callTo(stranger.api, route, ids), 403, 'forbidden');
      assert.equal((await callTo(await operator(), route, ids)).status, 200);
    }
  });
});
