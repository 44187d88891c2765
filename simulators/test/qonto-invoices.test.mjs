import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Limits } from '../qonto/limits.mjs';
import { readDate, readDecimal, readInvoice } from '../qonto/ocr.mjs';
import { FILE, KEY, SEED, START_MS, api, bulk, connect, pdf, useQonto } from './support/qonto.mjs';

const qonto = useQonto();

const post = (id, move, body) =>
  qonto.api(`/v2/supplier_invoices/${id}/${move}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify({ supplier_invoice: body }),
  });

test('the analysis fills the fields later and moves updated_at', async () => {
  await qonto.steer('switches', { analysis_delay_s: 400 });
  const lines = [
    'Supplier: Boulangerie Lefèvre',
    'Invoice number: F-2026-0042',
    'Issue date: 3 June 2026',
    'Total including tax: 1,234.50 EUR',
  ];
  const made = await qonto.bulk([
    [FILE, pdf('bread.pdf', lines)],
    [KEY, randomUUID()],
  ]);
  const [fresh] = made.json.supplier_invoices;
  assert.deepEqual(
    [fresh.analyzed_at, fresh.supplier_name, fresh.total_amount],
    [null, null, null],
  );
  qonto.world.clock.advance(300_000);
  assert.equal((await qonto.invoice(fresh.id)).json.supplier_invoice.analyzed_at, null);
  const lastSync = new Date(qonto.world.clock.now()).toISOString();
  qonto.world.clock.advance(110_000);
  const changed = await qonto.list({
    'filter[updated_at_from]': lastSync,
    sort_by: 'updated_at:asc',
  });
  const read = changed.json.supplier_invoices.find((row) => row.id === fresh.id);
  assert.equal(Date.parse(read.analyzed_at), Date.parse(fresh.created_at) + 400_000);
  assert.equal(read.updated_at, read.analyzed_at);
  assert.deepEqual(
    [read.supplier_name, read.invoice_number, read.issue_date, read.total_amount],
    ['Boulangerie Lefèvre', 'F-2026-0042', '2026-06-03', { value: '1234.50', currency: 'EUR' }],
  );
});

test('what cannot be read stays null, and an image is not read', async () => {
  const png = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    Buffer.alloc(40),
  ]);
  const made = await qonto.bulk([
    [FILE, { name: 'scan.png', type: 'image/png', bytes: png }],
    [KEY, randomUUID()],
    [FILE, pdf('blank.pdf', ['nothing of interest'])],
    [KEY, randomUUID()],
    [FILE, { name: 'broken.pdf', bytes: Buffer.from('%PDF-1.4 broken') }],
    [KEY, randomUUID()],
  ]);
  qonto.world.clock.advance(31_000);
  for (const { id } of made.json.supplier_invoices) {
    const { supplier_invoice: read } = (await qonto.invoice(id)).json;
    assert.ok(read.analyzed_at);
    assert.deepEqual([read.supplier_name, read.total_amount, read.issue_date], [null, null, null]);
  }
});

test('notations of dates, amounts and labels', () => {
  const dates = [
    ['2026-02-03', '2026-02-03'],
    ['3/2/2026', '2026-02-03'],
    ['03.02.2026', '2026-02-03'],
    ['3 février 2026', '2026-02-03'],
    ['February 3, 2026', '2026-02-03'],
    ['1er août 2026', '2026-08-01'],
    ['soon', null],
  ];
  for (const [text, date] of dates) assert.equal(readDate(text), date, text);
  const amounts = [
    ['1,234.56', '1234.56'],
    ['1 234,56 €', '1234.56'],
    ['1.234,56', '1234.56'],
    ['12,000 JPY', '12000'],
    ['0.5', '0.5'],
    ['1.234.567', '1234567'],
    ['-7,00', '-7.00'],
    ['4.200 KWD', '4200'],
    ['none', null],
  ];
  for (const [text, decimal] of amounts) assert.equal(readDecimal(text), decimal, text);
  const facts = readInvoice(
    'Fournisseur                Date de facture\nÉditions Noisette SAS      ' +
      '04/03/2026\n\nFacture n°: F12\nIBAN FR76 3000 6000 0112 3456 7890 189\nAVOIR\n' +
      'Net à payer   12,50 €\n',
  );
  assert.deepEqual(facts, {
    supplier_name: 'Éditions Noisette SAS',
    invoice_number: 'F12',
    issue_date: '2026-03-04',
    due_date: null,
    iban: 'FR7630006000011234567890189',
    vat_number: null,
    is_credit_note: true,
    total_amount: { value: '12.50', currency: 'EUR' },
  });
  const vat = (text) => readInvoice(text).vat_number;
  const customer = 'Customer   B\nVAT id  FR40303265045';
  assert.equal(vat(`Seller: A\nVAT id  DE 123456789\n${customer}`), 'DE123456789');
  assert.equal(vat(`Seller: A\n${customer}`), null, "the customer's own");
});

test('pages: 25 without per_page, current_page means nothing, ties keep their order', async () => {
  await qonto.steer(
    'invoices',
    Array.from({ length: 60 }, (_, i) => ({
      file_name: `page-${i}.pdf`,
      created_at_s: START_MS / 1000 - 7200,
      supplier_name: 'Pager SA',
    })),
  );
  const query = 'Pager';
  const first = (await qonto.list({ query })).json;
  assert.deepEqual(first.meta, {
    current_page: 1,
    next_page: 2,
    prev_page: null,
    total_pages: 3,
    total_count: 60,
    per_page: 25,
  });
  assert.equal((await qonto.list({ query, current_page: 2 })).json.meta.current_page, 1);
  const ids = [];
  for (const page of [1, 2, 3]) {
    const { supplier_invoices: rows } = (await qonto.list({ query, page, sort_by: 'updated_at:asc' }))
      .json;
    ids.push(...rows.map((row) => row.id));
  }
  assert.equal(new Set(ids).size, 60);
  assert.deepEqual((await qonto.list({ query, page: 4 })).json.supplier_invoices, []);
  assert.equal((await qonto.list({ query, per_page: 500 })).json.meta.per_page, 100);
  assert.equal((await qonto.list({ query, page: 0 })).status, 400);
  await qonto.steer('switches', { past_end: 'unprocessable' });
  assert.equal((await qonto.list({ query, page: 4 })).status, 422);
});

test('an open window shifts under updates; one closed at the start does not', async () => {
  const createdS = Math.floor(qonto.world.clock.now() / 1000) - 1000;
  const names = Array.from({ length: 9 }, (_, i) => `shift-${i}.pdf`);
  const { invoices } = await qonto.steer(
    'invoices',
    names.map((name, i) => ({
      file_name: name,
      created_at_s: createdS + i,
      supplier_name: 'Shifter SA',
      status: 'to_review',
    })),
  );
  const from = new Date(createdS * 1000).toISOString();
  const to = new Date(qonto.world.clock.now()).toISOString();
  const read = async (page, extra) =>
    (
      await qonto.list({
        'filter[updated_at_from]': from,
        sort_by: 'updated_at:asc',
        query: 'Shifter',
        per_page: 3,
        page,
        ...extra,
      })
    ).json.supplier_invoices.map((row) => row.file_name);
  const open = await read(1);
  qonto.world.clock.advance(1000);
  assert.equal((await post(invoices[0].id, 'reject', { declined_note: 'no' })).status, 200);
  const openAll = [...open, ...(await read(2)), ...(await read(3))];
  assert.ok(!openAll.includes('shift-3.pdf'), 'the update shifted a row over the page border');
  const closedAll = [
    ...(await read(1, { 'filter[updated_at_to]': to })),
    ...(await read(2, { 'filter[updated_at_to]': to })),
    ...(await read(3, { 'filter[updated_at_to]': to })),
  ];
  assert.deepEqual(closedAll, names.slice(1), 'only the updated row left the window');
});

test('every filter of the list', async () => {
  const names = async (query) =>
    (await qonto.list(query)).json.supplier_invoices
      .map((row) => row.file_name)
      .filter((name) => /^(kestrel|lumen)/.test(name))
      .sort();
  const [kestrel, lumen12, lumen13] = SEED.supplier_invoices.map((row) => row.file_name);
  const per = { per_page: 100 };
  assert.deepEqual(await names({ ...per, 'filter[status]': 'paid' }), [lumen12]);
  assert.deepEqual(
    await names([
      ['filter[status][]', 'paid'],
      ['filter[status][]', 'scheduled'],
      ['per_page', 100],
    ]),
    [lumen12, lumen13],
  );
  assert.deepEqual(await names({ ...per, 'filter[created_at_to]': '2026-05-30T00:00:00Z' }), [
    kestrel,
  ]);
  assert.deepEqual(
    await names({ ...per, 'filter[created_at_from]': '2026-06-12T00:00:00+02:00' }),
    [lumen13],
  );
  assert.deepEqual(await names({ ...per, 'filter[due_date]': 'past_and_today' }), [lumen13]);
  assert.deepEqual(await names({ ...per, 'filter[due_date]': 'missing_date', query: 'Lumen' }), [
    lumen12,
  ]);
  assert.deepEqual(await names({ ...per, 'filter[due_date]': 'future' }), [kestrel]);
  assert.deepEqual(await names({ ...per, 'filter[issue_date]': 'past_week' }), [lumen13]);
  assert.deepEqual(await names({ ...per, 'filter[issue_date]': 'past_month' }), [kestrel]);
  assert.deepEqual(await names({ ...per, 'filter[payment_date]': 'this_month' }), [lumen12]);
  assert.deepEqual(await names({ ...per, 'filter[issue_date_from]': '2026-06-01' }), [
    lumen12,
    lumen13,
  ]);
  assert.deepEqual(await names({ ...per, 'filter[payable_amount]': 'gte:100.00:EUR' }), [kestrel]);
  assert.deepEqual(await names({ ...per, query: 'l-13', query_fields: 'invoice_number' }), [
    lumen13,
  ]);
  assert.deepEqual(await names({ ...per, query: '120.00', query_fields: 'amount' }), [kestrel]);
  const [row] = (await qonto.list({ query: kestrel })).json.supplier_invoices;
  assert.deepEqual(await names({ 'filter[attachment_id]': row.attachment_id }), [kestrel]);
  assert.deepEqual(await names({ ...per, 'filter[matched_transactions]': 'true' }), []);
  assert.deepEqual(await names({ ...per, 'filter[missing_data]': 'false' }), [
    kestrel,
    lumen12,
    lumen13,
  ]);
  const bad = [
    [{ 'filter[created_at_from]': 'yesterday' }, 'invalid_time', 'filter[created_at_from]'],
    [
      { 'filter[updated_at_from]': '2030-01-01T00:00:00Z' },
      'invalid_datetime_range',
      'filter[updated_at_from]',
    ],
    [{ 'filter[status]': 'bogus' }, 'not_in_list', 'filter[status]'],
    [{ query: 'x', query_fields: 'iban' }, 'not_in_list', 'query_fields'],
    [{ sort_by: 'iban:asc' }, 'invalid', 'sort_by'],
    [{ 'filter[payable_amount]': '100' }, 'invalid', 'filter[payable_amount]'],
  ];
  for (const [query, code, parameter] of bad) {
    const answer = await qonto.list(query);
    assert.deepEqual(
      [answer.status, answer.json.errors[0].code, answer.json.errors[0].source],
      [400, code, { parameter }],
    );
  }
});

test('mail-in documents carry an offset in their times', async () => {
  const [row] = (await qonto.list({ query: 'kestrel' })).json.supplier_invoices;
  assert.match(row.created_at, /\+01:00$/);
  assert.equal(Date.parse(row.created_at), SEED.supplier_invoices[0].created_at_s * 1000);
});

test('paid, unpaid, rejected: the moves and their refusals', async () => {
  const [{ id }] = (await qonto.upload('move.pdf')).json.supplier_invoices;
  const bad = await post(id, 'mark_as_paid', { payment_date: '2999-01-01' });
  assert.deepEqual(
    [bad.status, bad.json.errors[0].source.pointer],
    [400, '/supplier_invoice/payment_date'],
  );
  assert.equal((await post(id, 'unmark_as_paid')).status, 400);
  const paid = (await post(id, 'mark_as_paid', { payment_date: '2026-06-01' })).json;
  assert.deepEqual([paid.id, paid.status, paid.payment_date], [id, 'paid', '2026-06-01']);
  const again = (await post(id, 'mark_as_paid', { payment_date: '2026-06-02' })).json;
  assert.equal(again.payment_date, '2026-06-01', 'already paid changes nothing');
  assert.equal((await post(id, 'reject', { declined_note: 'x' })).status, 400);
  const back = (await post(id, 'unmark_as_paid')).json;
  assert.deepEqual([back.status, back.payment_date], ['to_review', null]);
  const rejected = (
    await post(id, 'reject', { declined_note: 'twice', declined_reason_code: 'DOUBLON' })
  ).json;
  assert.deepEqual([rejected.status, rejected.declined_note], ['rejected', 'twice']);
  assert.equal((await post(id, 'reject', {})).status, 400);
  assert.equal((await post(randomUUID(), 'unmark_as_paid')).status, 404);
  const [scheduled] = (await qonto.list({ query: 'lumen-13' })).json.supplier_invoices;
  assert.equal(
    (await post(scheduled.id, 'mark_as_paid', { payment_date: '2026-06-01' })).status,
    400,
  );
  assert.equal(
    (await post(scheduled.id, 'reject', {})).status,
    422,
    'a French e-invoice needs a reason',
  );
});

test('scopes, plans, keys and paths are enforced', async () => {
  const readOnly = `Bearer ${(await connect(qonto.world, 'organization.read')).access_token}`;
  const refused = await api(qonto.world, readOnly, '/v2/supplier_invoices');
  assert.equal(refused.status, 403);
  assert.match(
    refused.json.errors[0].detail,
    /missing required oauth scope supplier_invoice\.read/,
  );
  const unread = await bulk(qonto.world, readOnly, [
    [FILE, pdf('x.pdf')],
    [KEY, randomUUID()],
  ]);
  assert.equal(unread.status, 403);

  await qonto.steer('switches', { plan: 'solo_basic' });
  assert.match((await qonto.list({})).json.errors[0].detail, /due to pricing plan/);
  assert.equal((await qonto.upload('solo.pdf')).status, 200);
  await qonto.steer('switches', { plan: 'business' });

  const { login, secret } = qonto.world.qonto.api_key;
  assert.equal((await api(qonto.world, `${login}:${secret}`, '/v2/organization')).status, 200);
  const consents = await api(qonto.world, `${login}:${secret}`, '/v2/oauth2/consents', {
    method: 'DELETE',
  });
  assert.equal(consents.status, 403);
  assert.equal((await api(qonto.world, `${login}:wrong`, '/v2/organization')).status, 401);
  assert.equal((await qonto.api('/v2/organizations')).status, 404);
  assert.equal((await qonto.api('/v2/supplier_invoices', { method: 'POST' })).status, 404);
  assert.equal((await qonto.invoice(randomUUID())).json.errors[0].source.parameter, 'id');
});

test('an address may send 1,000 requests in ten seconds and 10,000 in ten minutes', () => {
  let now = 0;
  const limits = new Limits({ clock: { now: () => now }, switches: { get: () => true } });
  const burst = (count) => Array.from({ length: count }, () => limits.request('a')).at(-1);
  assert.equal(burst(1000), null);
  assert.equal(limits.request('a'), 10);
  assert.equal(limits.request('b'), null, 'another address has its own windows');
  for (let i = 1; i < 10; i += 1) {
    now = i * 10_000;
    assert.equal(burst(1000), null);
  }
  now += 10_000;
  assert.equal(limits.request('a'), 600);
  now = 600_000;
  assert.equal(limits.request('a'), null);
});

test('an address that collects more than 200 answers of 401 is throttled for an hour', async () => {
  await qonto.steer('clear_limits', {});
  await qonto.steer('switches', { rate_limit: false, rate_limit_retry_after: true });
  let last;
  for (let i = 0; i < 201; i += 1) {
    last = await api(qonto.world, 'Bearer wrong', '/v2/organization');
  }
  assert.equal(last.status, 401);
  const throttled = await qonto.api('/v2/nothing');
  assert.deepEqual([throttled.status, throttled.headers['retry-after']], [429, '3600']);
  qonto.world.clock.advance(3_600_000);
  assert.equal((await qonto.api('/v2/nothing')).status, 404);
});
