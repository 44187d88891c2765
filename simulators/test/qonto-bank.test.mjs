import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { paper } from '../qonto/paper.mjs';
import { FILE, KEY, SEED, api, connect, exchange, multipart, useQonto } from './support/qonto.mjs';

const qonto = useQonto();

const account = SEED.bank_account;
const get = (path) => qonto.api(path);
const transactions = (query) =>
  get(
    `/v2/transactions?${new URLSearchParams(
      Array.isArray(query) ? query : { bank_account_id: account.id, ...query },
    )}`,
  );
const labels = async (query) =>
  (await transactions(query)).json.transactions.map((row) => row.label);
const upload = (path, key, name = 'receipt.pdf', lines = [name]) => {
  const form = multipart([['file', { name, bytes: paper(lines) }]]);
  return qonto.api(path, {
    ...form,
    headers: { ...form.headers, ...(key && { 'X-Qonto-Idempotency-Key': key }) },
  });
};

test('the organisation with its accounts, in cents and in units', async () => {
  const { organization } = (await get('/v2/organization')).json;
  assert.equal(organization.slug, SEED.organization.slug);
  const [own] = organization.bank_accounts;
  assert.deepEqual([own.balance, own.balance_cents, own.main], [1234.56, 123_456, true]);
  const accounts = await get('/v2/bank_accounts');
  assert.equal(accounts.json.bank_accounts[0].organization_id, organization.id);
  assert.equal(accounts.json.meta, undefined);
  assert.equal((await get(`/v2/bank_accounts/${account.id}`)).json.bank_account.iban, account.iban);
  assert.equal((await get(`/v2/bank_accounts/${randomUUID()}`)).status, 404);
});

test('an ampersand travels escaped', async () => {
  const { text, json } = await get('/v2/organization');
  assert.ok(text.includes('Atelier \\u0026 Fils') && !text.includes('&'));
  assert.equal(json.organization.name, 'Atelier & Fils');
});

test('transactions need an account and are completed unless asked otherwise', async () => {
  const missing = await transactions([['status[]', 'completed']]);
  assert.deepEqual([missing.status, missing.json.errors[0].code], [422, 'missing']);
  assert.deepEqual(await labels({}), ['STRIPE', 'KESTREL LTD']);
  assert.deepEqual(
    (
      await transactions([
        ['iban', account.iban],
        ['status[]', 'pending'],
      ])
    ).json.transactions.map((row) => row.label),
    ['CAFE'],
  );
  const both = [
    ['bank_account_id', account.id],
    ['status[]', 'completed'],
    ['status[]', 'pending'],
  ];
  assert.equal((await transactions(both)).json.meta.total_count, 1, 'one status is honoured');
  await qonto.steer('switches', { transactions_single_status: false });
  assert.equal((await transactions(both)).json.meta.total_count, 3);
});

test('filters, windows and orders of transactions', async () => {
  const [kestrel, stripe] = SEED.transactions;
  const at = (row, shift) => new Date((row.emitted_at_s + shift) * 1000).toISOString();
  assert.deepEqual(await labels({ side: 'credit' }), ['STRIPE']);
  assert.deepEqual(await labels({ 'operation_type[]': 'transfer' }), ['KESTREL LTD']);
  assert.deepEqual(await labels({ sort_by: 'updated_at:asc' }), ['KESTREL LTD', 'STRIPE']);
  assert.deepEqual(await labels({ updated_at_from: at(stripe, 0) }), ['STRIPE'], 'inclusive');
  assert.deepEqual(await labels({ settled_at_to: at(kestrel, 1) }), ['KESTREL LTD']);
  assert.deepEqual(await labels({ with_attachments: 'true' }), []);
  const bad = [
    [{ sort_by: 'label:asc' }, 'sort_invalid'],
    [{ 'status[]': 'reversed' }, 'status_invalid'],
    [{ updated_at_from: '0001-01-01T00:00:00Z' }, 'date_invalid'],
    [{ emitted_at_to: 'x' }, 'date_invalid'],
  ];
  for (const [query, code] of bad) {
    const { status, json } = await transactions(query);
    assert.deepEqual([status, json.errors[0].code, json.errors[0].detail], [400, code, undefined]);
    assert.equal(typeof json.errors[0].message, 'string');
  }
});

test('one transaction: amounts are positive, the side has the sign, unknown is a text', async () => {
  const [row] = SEED.transactions;
  const { transaction } = (await get(`/v2/transactions/${row.id}?includes[]=attachments`)).json;
  assert.deepEqual(
    [transaction.amount, transaction.amount_cents, transaction.side],
    [120, 12_000, 'debit'],
  );
  assert.deepEqual(transaction.attachments, []);
  assert.equal(transaction.transfer.counterparty_account_number_format, '');
  const missing = await get(`/v2/transactions/${randomUUID()}`);
  assert.deepEqual([missing.status, missing.text], [404, ' ']);
  assert.match(missing.headers['content-type'], /^text\/plain/);
});

test('an injected transaction appears, and a changed one moves its updated_at', async () => {
  const id = randomUUID();
  await qonto.steer('transactions', {
    id,
    label: 'NEW',
    amount_cents: 1,
    side: 'credit',
    status: 'pending',
  });
  assert.deepEqual(await labels({ 'status[]': 'pending', side: 'credit' }), ['NEW']);
  qonto.world.clock.advance(1000);
  await qonto.steer('transactions', { id, label: 'NEW', amount_cents: 1, side: 'credit' });
  const { transaction } = (await get(`/v2/transactions/${id}`)).json;
  assert.deepEqual(
    [transaction.status, Date.parse(transaction.settled_at) > 0],
    ['completed', true],
  );
});

test('an attachment can be had for half an hour, without a second authentication', async () => {
  const made = await qonto.bulk([
    [FILE, { name: 'a & b.pdf', bytes: paper(['a & b']) }],
    [KEY, randomUUID()],
  ]);
  const path = `/v2/attachments/${made.json.supplier_invoices[0].attachment_id}`;
  const answer = await get(path);
  assert.ok(answer.text.includes('\\u0026X-Amz-Expires=1800'));
  const { attachment } = answer.json;
  assert.equal(attachment.file_size, String(paper(['a & b']).length));
  const fetched = await exchange(qonto.world.agent, attachment.url);
  assert.deepEqual([fetched.status, fetched.headers['content-type']], [200, 'application/pdf']);
  assert.deepEqual(fetched.bytes, paper(['a & b']));
  const twice = await exchange(qonto.world.agent, attachment.url, {
    headers: { Authorization: qonto.token },
  });
  assert.equal(twice.status, 400);
  const forged = attachment.url.replace(/Signature=..../, 'Signature=0000');
  assert.equal((await exchange(qonto.world.agent, forged)).status, 403);
  qonto.world.clock.advance(1_801_000);
  const late = await exchange(qonto.world.agent, attachment.url);
  assert.deepEqual([late.status, /expired/.test(late.text)], [403, true]);
  const fresh = (await get(path)).json.attachment.url;
  assert.equal((await exchange(qonto.world.agent, fresh)).status, 200);
});

test('attachments need their scope, and documents differ about which', async () => {
  const { attachment } = (await upload('/v2/attachments', randomUUID())).json;
  const other = `Bearer ${(await connect(qonto.world, 'organization.read')).access_token}`;
  assert.equal((await api(qonto.world, other, `/v2/attachments/${attachment.id}`)).status, 403);
  await qonto.steer('switches', { attachment_scope: 'organization.read' });
  assert.equal((await api(qonto.world, other, `/v2/attachments/${attachment.id}`)).status, 200);
});

test('an upload with a key answers the same for half an hour, whatever it holds', async () => {
  const key = randomUUID();
  const first = await upload('/v2/attachments', key);
  assert.deepEqual([first.status, Object.keys(first.json.attachment)], [200, ['id']]);
  const again = await upload('/v2/attachments', key, 'other.pdf');
  assert.equal(again.json.attachment.id, first.json.attachment.id);
  qonto.world.clock.advance(1_801_000);
  const late = await upload('/v2/attachments', key, 'other.pdf');
  assert.notEqual(late.json.attachment.id, first.json.attachment.id);
  assert.equal((await upload('/v2/attachments', null)).status, 400);
  const form = multipart([['file', { name: 'x.txt', bytes: Buffer.from('text') }]]);
  const wrong = await qonto.api('/v2/attachments', {
    ...form,
    headers: { ...form.headers, 'X-Qonto-Idempotency-Key': randomUUID() },
  });
  assert.deepEqual([wrong.status, wrong.json.errors[0].code], [400, 'invalid_file_type']);
});

test('an uploaded attachment can become a supplier invoice', async () => {
  const { attachment } = (await upload('/v2/attachments', randomUUID(), 'pre.pdf')).json;
  const parts = [
    ['supplier_invoices[][attachment_id]', attachment.id],
    [KEY, randomUUID()],
  ];
  const made = (await qonto.bulk(parts)).json.supplier_invoices;
  assert.deepEqual(
    made.map((row) => [row.attachment_id, row.file_name]),
    [[attachment.id, 'pre.pdf']],
  );
  const both = await qonto.bulk([...parts, [FILE, { name: 'x.pdf', bytes: paper(['x']) }]]);
  assert.equal(both.status, 400);
});

test('a file on a transaction appears a moment later and moves updated_at', async () => {
  const [row] = SEED.transactions;
  const path = `/v2/transactions/${row.id}/attachments`;
  const key = randomUUID();
  await qonto.steer('switches', { transaction_attachment_delay_s: 600 });
  const answer = await upload(path, key);
  assert.deepEqual([answer.status, answer.text], [200, '']);
  await upload(path, key);
  assert.deepEqual((await get(path)).json.attachments, []);
  const before = (await get(`/v2/transactions/${row.id}`)).json.transaction.updated_at;
  qonto.world.clock.advance(601_000);
  const { attachments } = (await get(path)).json;
  assert.equal(attachments.length, 1);
  const changed = (await get(`/v2/transactions/${row.id}?includes[]=attachments`)).json.transaction;
  assert.ok(changed.updated_at > before);
  assert.deepEqual(changed.attachment_ids, [attachments[0].id]);
  assert.deepEqual(await labels({ with_attachments: 'true' }), ['KESTREL LTD']);
  const one = `${path}/${attachments[0].id}`;
  assert.equal((await qonto.api(one, { method: 'DELETE' })).status, 200);
  assert.equal((await qonto.api(one, { method: 'DELETE' })).status, 404);
  assert.equal((await upload(`/v2/transactions/${randomUUID()}/attachments`, key)).status, 404);
});

test('beneficiaries: filters, order, pages of 25, flat or nested', async () => {
  const rows = Array.from({ length: 27 }, (_, i) => ({
    name: `Payee ${i}`,
    iban: `FR763000600001123456789${String(i).padStart(4, '0')}`,
    status: i % 9 ? 'validated' : 'pending',
    trusted: i % 2 === 0,
    updated_at_s: 1_780_000_000 + i,
  }));
  const { beneficiaries: made } = await qonto.steer('beneficiaries', rows);
  const first = (await get('/v2/sepa/beneficiaries?sort_by=updated_at:asc')).json;
  assert.deepEqual([first.meta.total_count, first.beneficiaries.length], [27, 25]);
  assert.equal(first.beneficiaries[0].name, 'Payee 0');
  assert.equal((await get('/v2/sepa/beneficiaries')).json.beneficiaries[0].name, 'Payee 26');
  const names = async (query) =>
    (await get(`/v2/sepa/beneficiaries?${query}`)).json.beneficiaries.map((row) => row.name);
  assert.deepEqual(await names('status=pending'), ['Payee 18', 'Payee 9', 'Payee 0']);
  assert.deepEqual(await names(`iban=${rows[3].iban}&iban=${rows[4].iban}`), [
    'Payee 4',
    'Payee 3',
  ]);
  assert.deepEqual(await names('status=pending&trusted=false'), ['Payee 9']);
  assert.equal((await get('/v2/sepa/beneficiaries?status=odd')).status, 400);
  const path = `/v2/sepa/beneficiaries/${made[3].id}`;
  assert.equal((await get(path)).json.beneficiary.iban, rows[3].iban);
  await qonto.steer('switches', { nested_beneficiaries: true });
  const nested = (await get(path)).json.beneficiary;
  assert.deepEqual([nested.iban, nested.bank_account.iban], [undefined, rows[3].iban]);
});

test('the control API refuses what it does not know', async () => {
  await assert.rejects(qonto.steer('switches', { gravity: true }), /400/);
  await assert.rejects(qonto.steer('switches', { analysis_delay_s: -1 }), /400/);
  await assert.rejects(qonto.steer('invoices', { supplier_name: 'x' }), /400/);
  await assert.rejects(
    qonto.steer('transactions', { label: 'x', side: 'debit', amount_cents: 1.5 }),
    /400/,
  );
  const { providers } = await qonto.world.steer('state');
  assert.equal(providers.qonto.api_url, qonto.world.qonto.api_url);
  const { requests } = await qonto.world.steer('requests?provider=qonto');
  assert.ok(
    requests.some((row) => row.operation === 'supplier_invoices.bulk' && row.status === 200),
  );
  assert.ok(!JSON.stringify(requests).includes(qonto.world.qonto.staging_token));
});
