import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { SWITCHES } from '../stripe/switches.mjs';
import { INITIALIZE, authorise, rpc } from './support/client.mjs';
import { startSimulator } from './support/simulator.mjs';

const DEFAULTS = Object.fromEntries(
  Object.entries(SWITCHES).map(([name, { fallback }]) => [name, fallback]));

describe("the simulated Stripe's MCP server", () => {
  let simulator;
  let token;
  let client;
  before(async () => {
    simulator = await startSimulator();
    ({ tokens: { access_token: token } } = await authorise(simulator.stripe));
    client = await connect();
  });
  after(async () => {
    await client.close();
    await simulator.close();
  });
  beforeEach(() => simulator.post('/stripe/switches', DEFAULTS));

  async function connect() {
    const made = new Client({ name: 'test', version: '1' });
    await made.connect(new StreamableHTTPClientTransport(new URL(simulator.stripe.mcp_url),
      { requestInit: { headers: { authorization: `Bearer ${token}` } } }));
    return made;
  }
  const context = (account = simulator.live) => (
    { stripe_context: account.id, livemode: account.livemode });
  const call = (name, args = {}) => client.callTool({ name, arguments: args });
  const readRaw = (operation, parameters = {}, account = simulator.live) => (
    call('stripe_api_read',
      { stripe_api_operation_id: operation, parameters, ...context(account) }));
  async function read(...args) {
    const result = await readRaw(...args);
    assert.equal(result.isError, undefined, result.content[0].text);
    return JSON.parse(result.content[0].text);
  }
  async function refusal(...args) {
    const result = await readRaw(...args);
    assert.equal(result.isError, true);
    return result.content[0].text;
  }
  const ids = (list) => list.data.map((object) => object.id);
  const toolCall = (name, args, headers) => (
    rpc(simulator.stripe.mcp_url, token, 'tools/call', { name, arguments: args }, headers));

  test('ten tools, the accounts of the session, live and sandbox', async () => {
    const { tools } = await client.listTools();
    assert.equal(tools.length, 10);
    const reading = tools.find((tool) => tool.name === 'stripe_api_read');
    assert.deepEqual(reading.inputSchema.required,
      ['stripe_api_operation_id', 'parameters', 'stripe_context', 'livemode']);
    const { structuredContent, content } = await call('list_available_accounts_or_orgs');
    assert.deepEqual(JSON.parse(content[0].text), structuredContent);
    assert.deepEqual(structuredContent.accounts.map((it) => it.livemode), [true, false]);
    assert.equal(structuredContent.accounts[0].stripe_context, simulator.live.id);
  });

  test('the list of tools comes in pages when switched on', async () => {
    await simulator.post('/stripe/switches', { tools_page: 4 });
    const seen = [];
    let cursor;
    do {
      const page = await client.listTools({ cursor });
      seen.push(...page.tools.map((tool) => tool.name));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    assert.equal(new Set(seen).size, 10);
    assert.equal(seen.length, 10);
    await assert.rejects(client.listTools({ cursor: 'nonsense' }), /-32602/);
  });

  test('a session answers in events or in JSON, in any pieces', async () => {
    const types = { sse: /^text\/event-stream/, json: /^application\/json/ };
    for (const [response, type] of Object.entries(types)) {
      for (const pieces of [0, 1, 7]) {
        await simulator.post('/stripe/switches', { response, chunk_bytes: pieces });
        const opened = await rpc(simulator.stripe.mcp_url, token, 'initialize', INITIALIZE);
        assert.match(opened.headers.get('content-type'), type);
        assert.ok(opened.headers.get('mcp-session-id'));
        const other = await connect();
        const { structuredContent } = await other.callTool(
          { name: 'list_available_accounts_or_orgs', arguments: {} });
        assert.equal(structuredContent.accounts.length, 2);
        await other.close();
      }
    }
  });

  test('a call may end its stream early and be resumed, and may ping first', async () => {
    for (const changes of [{ resumption: 'priming' }, { resumption: 'poll' },
      { ping_first: true }, { resumption: 'poll', ping_first: true, chunk_bytes: 3 }]) {
      await simulator.post('/stripe/switches', { ...DEFAULTS, retry_ms: 20, ...changes });
      const other = await connect();
      const { structuredContent } = await other.callTool(
        { name: 'list_available_accounts_or_orgs', arguments: {} });
      assert.equal(structuredContent.accounts.length, 2);
      await other.close();
    }
  });

  test('the empty first event, and what is asked for again', async () => {
    await simulator.post('/stripe/switches', { resumption: 'poll' });
    const url = simulator.stripe.mcp_url;
    const opened = await rpc(url, token, 'initialize', INITIALIZE);
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id'),
      'mcp-protocol-version': '2025-11-25' };
    const call = await rpc(url, token, 'tools/call',
      { name: 'list_available_accounts_or_orgs', arguments: {} }, session);
    const text = await call.text();
    const [, id] = /^id: (\S+)\nretry: 100\ndata: \n\n$/.exec(text);
    const resume = (last) => fetch(url, { headers: { ...session, 'last-event-id': last,
      authorization: `Bearer ${token}`, accept: 'text/event-stream' } });
    const resumed = await resume(id);
    const { value } = await resumed.body.getReader().read();
    assert.match(Buffer.from(value).toString(), /"structuredContent"/);
    assert.equal((await resume('nonsense')).status, 400);
  });

  test('a client that does not answer the ping is told', async () => {
    await simulator.post('/stripe/switches', { ping_first: true });
    const opened = await rpc(simulator.stripe.mcp_url, token, 'initialize', INITIALIZE);
    const silent = await toolCall('list_available_accounts_or_orgs', {},
      { 'mcp-session-id': opened.headers.get('mcp-session-id') });
    assert.match(await silent.text(), /the ping was not answered/);
  });

  test('sessions: needed, unknown, another grant, ended, dropped', async () => {
    const url = simulator.stripe.mcp_url;
    assert.equal((await rpc(url, token, 'tools/list', {})).status, 400);
    const unknown = await rpc(url, token, 'tools/list', {}, { 'mcp-session-id': 'nobody' });
    assert.deepEqual([unknown.status, (await unknown.json()).error.code], [404, -32001]);

    const open = async () => (await rpc(url, token, 'initialize', INITIALIZE))
      .headers.get('mcp-session-id');
    const list = async (session, bearer = token) => (
      await rpc(url, bearer, 'tools/list', {}, { 'mcp-session-id': session })).status;
    const first = await open();
    assert.equal(await list(first), 200);
    const { tokens: stranger } = await authorise(simulator.stripe);
    assert.equal(await list(first, stranger.access_token), 404);
    const ended = await fetch(url, { method: 'DELETE',
      headers: { authorization: `Bearer ${token}`, 'mcp-session-id': first } });
    assert.equal(ended.status, 200);
    assert.equal(await list(first), 404);
    const second = await open();
    await simulator.post('/stripe/drop_sessions');
    assert.equal(await list(second), 404);
    client = await connect();
  });

  test('without sessions each request stands alone', async () => {
    await simulator.post('/stripe/switches', { sessions: false });
    const opened = await rpc(simulator.stripe.mcp_url, token, 'initialize', INITIALIZE);
    assert.equal(opened.headers.get('mcp-session-id'), null);
    const listed = await rpc(simulator.stripe.mcp_url, token, 'tools/list', {});
    assert.match(await listed.text(), /stripe_api_read/);
    const stream = await fetch(simulator.stripe.mcp_url, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' } });
    assert.equal(stream.status, 405);
  });

  test('lists are newest first and paged in both directions', async () => {
    const everything = ids({ data: simulator.live.list('charge') });
    const first = await read('GetCharges');
    assert.deepEqual([first.object, first.url, first.has_more], ['list', '/v1/charges', true]);
    assert.deepEqual(ids(first), everything.slice(0, 10));

    const older = await read('GetCharges', { limit: 3, starting_after: everything[4] });
    assert.deepEqual(ids(older), everything.slice(5, 8));
    const last = await read('GetCharges', { limit: 100, starting_after: everything.at(-2) });
    assert.deepEqual([ids(last), last.has_more], [everything.slice(-1), false]);

    // The page next to the cursor, not the newest page: still newest first.
    const newer = await read('GetCharges', { limit: 3, ending_before: everything[8] });
    assert.deepEqual([ids(newer), newer.has_more], [everything.slice(5, 8), true]);
    const newest = await read('GetCharges', { limit: 3, ending_before: everything[2] });
    assert.deepEqual([ids(newest), newest.has_more], [everything.slice(0, 2), false]);
    const none = await read('GetCharges', { ending_before: everything[0] });
    assert.deepEqual([ids(none), none.has_more], [[], false]);
  });

  test('limits are clamped, texts are taken for numbers', async () => {
    assert.equal((await read('GetBalanceTransactions', { limit: 0 })).data.length, 1);
    assert.equal((await read('GetBalanceTransactions', { limit: '5' })).data.length, 5);
    const all = simulator.live.list('balance_transaction').length;
    const clamped = await read('GetBalanceTransactions', { limit: 200 });
    assert.equal(clamped.data.length, Math.min(all, 100));
    assert.match(await refusal('GetCharges', { limit: 'many' }),
      /^Stripe API error: Invalid integer/);
  });

  test('filters: created, customer, charge, payout, source, email', async () => {
    const charges = simulator.live.list('charge');
    const from = charges[20].created;
    const until = charges[10].created;
    const range = await read('GetCharges', { limit: 100, created: { gte: from, lt: until } });
    assert.deepEqual(ids(range),
      ids({ data: charges.filter((it) => it.created >= from && it.created < until) }));
    const exact = await read('GetCharges', { created: from });
    assert.ok(ids(exact).includes(charges[20].id));

    const { customer } = charges.find((charge) => charge.customer);
    const own = await read('GetCharges', { customer, limit: 100 });
    assert.deepEqual(ids(own), ids({ data: charges.filter((it) => it.customer === customer) }));

    const refund = simulator.live.list('refund')[0];
    assert.ok(ids(await read('GetRefunds', { charge: refund.charge })).includes(refund.id));
    const money = await read('GetBalanceTransactions', { source: refund.id });
    assert.ok(money.data.every((it) => it.source === refund.id));

    const payout = simulator.live.list('payout').at(-1);
    const members = await read('GetBalanceTransactions', { payout: payout.id, limit: 100 });
    const sum = members.data.reduce((total, it) => total + it.net, 0);
    assert.equal(sum, 0, 'the members and the payout itself add up to nothing');

    const { email } = simulator.live.get(customer);
    assert.deepEqual(ids(await read('GetCustomers', { email })), [customer]);
    const taxIds = await read('GetCustomersCustomerTaxIds', { id: customer });
    assert.equal(taxIds.url, `/v1/customers/${customer}/tax_ids`);
  });

  test('objects by id and what they expand to', async () => {
    const settled = simulator.live.list('charge')
      .find((it) => it.balance_transaction && it.customer);
    const charge = await read('GetChargesCharge',
      { id: settled.id, expand: ['balance_transaction', 'customer', 'refunds'] });
    assert.equal(charge.balance_transaction.id, settled.balance_transaction);
    assert.equal(charge.customer.id, settled.customer);
    assert.equal(charge.refunds.object, 'list');
    const list = await read('GetCharges',
      { limit: 2, expand: ['data.balance_transaction', 'data.customer'] });
    assert.ok(list.data.every((it) => it.customer === null || it.customer.object === 'customer'));
    const transaction = await read('GetBalanceTransactionsId',
      { id: settled.balance_transaction, expand: ['source.customer'] });
    assert.equal(transaction.source.customer.id, settled.customer);
    assert.equal(await refusal('GetCharges', { expand: ['data.card'] }),
      'Stripe API error: This property cannot be expanded (data.card).\n\nUse stripe_api_details '
      + 'with stripe_api_operation_id: "GetCharges" to see all required and optional parameters.');
    for (const [operation, type] of [['GetRefundsRefund', 'refund'], ['GetPayoutsPayout', 'payout'],
      ['GetDisputesDispute', 'dispute'], ['GetCustomersCustomer', 'customer']]) {
      const [{ id }] = simulator.live.list(type);
      assert.equal((await read(operation, { id })).id, id);
    }
    assert.equal((await read('GetBalance')).object, 'balance');
  });

  test('errors of Stripe are sentences', async () => {
    assert.equal(await refusal('GetCustomersCustomer', { id: 'cus_x' }),
      "Stripe API error: No such customer: 'cus_x'");
    assert.equal(await refusal('GetCharges', { starting_after: 'ch_x' }),
      "Stripe API error: No such charge: 'ch_x'");
    assert.match(await refusal('GetCharges', { colour: 'red' }),
      /^Stripe API error: Received unknown parameter: colour\n\nUse stripe_api_details/);
    assert.match(await refusal('GetCharges', { starting_after: 'a', ending_before: 'b' }), /both/);
    // An object of the sandbox does not exist in the live account.
    const [foreign] = simulator.sandbox.list('charge');
    assert.equal(await refusal('GetChargesCharge', { id: foreign.id }),
      `Stripe API error: No such charge: '${foreign.id}'`);
    assert.equal((await read('GetChargesCharge', { id: foreign.id }, simulator.sandbox)).livemode,
      false);
  });

  test('operations that are unknown, withheld or of the wrong verb are not available', async () => {
    for (const operation of ['GetEvents', 'GetEventsId', 'GetNothing', 'PostRefunds']) {
      assert.equal(await refusal(operation), `Operation '${operation}' is not available. `
        + 'Use stripe_api_search to find available operations.');
    }
    assert.equal(await refusal('GetChargesCharge'), 'Missing required path parameters: id');
    const unknown = await call('list_charges');
    assert.deepEqual([unknown.isError, unknown.content[0].text],
      [true, 'MCP error -32602: Tool list_charges not found']);
    const lacking = await call('stripe_api_read', { stripe_api_operation_id: 'GetCharges' });
    assert.match(lacking.content[0].text, /^MCP error -32602: .*parameters is required/);
  });

  test('an account of the wrong mode is refused before JSON-RPC', async () => {
    const args = { stripe_api_operation_id: 'GetCharges', parameters: {} };
    const wrongMode = await toolCall('stripe_api_read',
      { ...args, stripe_context: simulator.sandbox.id, livemode: true });
    assert.equal(wrongMode.status, 400);
    assert.deepEqual(await wrongMode.json(), { error: `The provided account ${simulator.sandbox.id}`
      + ' is a sandbox account. Retry with livemode set to false.' });
    const nobody = await toolCall('stripe_api_read',
      { ...args, stripe_context: 'acct_x', livemode: true });
    assert.match((await nobody.json()).error, /^No account found for the provided stripe_context/);
  });

  test('search and details answer for what is served', async () => {
    const found = await call('stripe_api_search',
      { intent: 'list refunds', resource: 'refund', limit: 3, ...context() });
    const { data } = JSON.parse(found.content[0].text);
    assert.ok(data.length <= 3 && data.some((it) => it.id === 'GetRefunds'));
    const nothing = await call('stripe_api_search',
      { intent: 'qqq', resource: 'zzz', ...context() });
    assert.deepEqual(JSON.parse(nothing.content[0].text).data, []);
    const described = await call('stripe_api_details',
      { stripe_api_operation_id: 'GetChargesCharge', ...context() });
    const details = JSON.parse(described.content[0].text);
    assert.deepEqual([details.path, details.parameters.path.id.required],
      ['/v1/charges/{id}', true]);
    const events = await call('stripe_api_details',
      { stripe_api_operation_id: 'GetEvents', ...context() });
    assert.match(events.content[0].text, /^Operation 'GetEvents' is not available/);
  });

  test('a write makes a refund, after an approval when that is switched on', async () => {
    const { id } = simulator.live.list('charge').find((it) => it.balance_transaction
      && it.amount_refunded === 0 && it.currency === 'eur');
    const write = (more) => call('stripe_api_write', { stripe_api_operation_id: 'PostRefunds',
      parameters: { charge: id, amount: 1 }, ...context(), ...more });
    await simulator.post('/stripe/switches', { write_approval: true });
    const asked = JSON.parse((await write()).content[0].text);
    assert.match(asked.approval_request_id, /^apr_/);
    const approvalToken = asked.approval_url.split('#')[1];
    const done = await write({ human_confirmation: { approval_token: approvalToken } });
    assert.equal(JSON.parse(done.content[0].text).charge, id);
    const again = await write({ human_confirmation: { approval_token: approvalToken } });
    assert.match(again.content[0].text, /approval_request_id/);
    await simulator.post('/stripe/switches', { write_approval: false });
    const missing = await call('stripe_api_write',
      { stripe_api_operation_id: 'PostRefunds', parameters: {}, ...context() });
    assert.equal(missing.content[0].text, 'Missing required body parameters: charge');
  });

  test('malformed messages', async () => {
    const send = (body, bearer = token) => fetch(simulator.stripe.mcp_url, { method: 'POST', body,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json',
        accept: 'application/json, text/event-stream' } });
    const broken = await send('{"jsonrpc":');
    assert.deepEqual([broken.status, (await broken.json()).error.code], [400, -32700]);
    assert.equal((await send('{"jsonrpc":', 'nobody')).status, 401);
    const missing = await fetch(simulator.stripe.mcp_url, { method: 'POST', body: '{}',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } });
    assert.equal(missing.status, 400);
  });
});
