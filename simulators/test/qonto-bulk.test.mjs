import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { paper } from '../qonto/paper.mjs';
import { FILE, KEY, pdf, useQonto } from './support/qonto.mjs';

const qonto = useQonto();

test('one upload is one invoice that can be read back at once', async () => {
  const before = await qonto.counts();
  const answer = await qonto.bulk([
    [FILE, pdf('été-2026.pdf')],
    [KEY, randomUUID()],
    ['source', 'integration'],
    ['meta', '{"integration_type":"sluice","connector":"stripe"}'],
  ]);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json.errors, []);
  const [made] = answer.json.supplier_invoices;
  assert.equal(made.file_name, 'été-2026.pdf');
  assert.deepEqual(
    [made.status, made.source, made.analyzed_at],
    ['to_review', 'integration', null],
  );
  assert.deepEqual(made.meta, { integration_type: 'sluice', connector: 'stripe' });
  assert.equal((await qonto.invoice(made.id)).json.supplier_invoice.file_name, 'été-2026.pdf');
  assert.equal((await qonto.counts()).invoices_from_api, before.invoices_from_api + 1);
  const { invoices } = await qonto.steer('invoices?origin=api');
  const told = invoices.find((row) => row.id === made.id);
  assert.equal(
    told.sha256,
    createHash('sha256')
      .update(paper(['été-2026.pdf']))
      .digest('hex'),
  );
  assert.equal(told.request_id, answer.headers['x-tyk-trace-id']);
  const bytes = await fetch(`${qonto.world.control_url}/control/qonto/uploads/${made.id}`);
  assert.deepEqual(Buffer.from(await bytes.arrayBuffer()), paper(['été-2026.pdf']));
});

test('the same key is the same invoice; the same bytes under another key are not', async () => {
  const key = randomUUID();
  const [first] = (await qonto.upload('once.pdf', key)).json.supplier_invoices;
  const [again] = (await qonto.upload('renamed.pdf', key)).json.supplier_invoices;
  assert.equal(again.id, first.id);
  assert.equal(again.file_name, 'once.pdf');
  const [other] = (await qonto.upload('once.pdf')).json.supplier_invoices;
  assert.notEqual(other.id, first.id);
  qonto.world.clock.advance(1_801_000);
  const [late] = (await qonto.upload('once.pdf', key)).json.supplier_invoices;
  assert.notEqual(late.id, first.id, 'a key is not remembered for ever');
});

test('parts are paired by position, as Rack does', async () => {
  const [a, b] = [randomUUID(), randomUUID()];
  const good = await qonto.bulk([
    [FILE, pdf('a.pdf')],
    [KEY, a],
    [FILE, pdf('b.pdf')],
    [KEY, b],
  ]);
  assert.deepEqual(
    good.json.supplier_invoices.map((row) => row.file_name),
    ['a.pdf', 'b.pdf'],
  );
  const crossed = await qonto.bulk([
    [FILE, pdf('a.pdf')],
    [FILE, pdf('b.pdf')],
    [KEY, randomUUID()],
    [KEY, randomUUID()],
  ]);
  assert.equal(crossed.status, 400);
  assert.deepEqual(crossed.json.errors[0].source, { pointer: '/idempotency_key' });
});

test('what makes a whole request fail', async () => {
  const many = Array.from({ length: 21 }, (_, i) => [
    [FILE, pdf(`${i}.pdf`)],
    [KEY, randomUUID()],
  ]);
  const huge = { name: 'huge.pdf', bytes: Buffer.concat([paper(['x']), Buffer.alloc(15_000_000)]) };
  const cases = [
    [[[FILE, pdf('x.pdf')]], 'required', '/idempotency_key'],
    [
      [
        [FILE, pdf('x.pdf')],
        [KEY, '  '],
      ],
      'required',
      '/idempotency_key',
    ],
    [[[KEY, randomUUID()]], 'required', '/file'],
    [[['source', 'integration']], 'required', '/supplier_invoices'],
    [many.flat(), 'limit_reached', '/supplier_invoices'],
    [
      [
        [FILE, huge],
        [KEY, randomUUID()],
      ],
      'bad_request',
      undefined,
    ],
    [
      [
        [FILE, pdf('x.pdf')],
        [KEY, randomUUID()],
        ['source', 'elsewhere'],
      ],
      'not_in_list',
      '/source',
    ],
    [
      [
        [FILE, pdf('x.pdf')],
        [KEY, randomUUID()],
        ['meta', '{'],
      ],
      'invalid',
      '/meta',
    ],
  ];
  const before = await qonto.counts();
  for (const [parts, code, pointer] of cases) {
    const answer = await qonto.bulk(parts);
    assert.deepEqual(
      [answer.status, answer.json.errors[0].code, answer.json.errors[0].source?.pointer],
      [400, code, pointer],
    );
    assert.equal(answer.json.trace_id, answer.headers['x-tyk-trace-id']);
  }
  assert.equal((await qonto.counts()).invoices, before.invoices);
  const json = await qonto.api('/v2/supplier_invoices/bulk', {
    method: 'POST',
    body: '{}',
    headers: { 'Content-Type': 'application/json' },
  });
  assert.deepEqual([json.status, json.json.errors[0].code], [400, 'bad_request']);
  const cut = await qonto.api('/v2/supplier_invoices/bulk', {
    method: 'POST',
    body: '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nhalf',
    headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
  });
  assert.deepEqual([cut.status, cut.json.errors[0].code], [400, 'bad_request']);
});

test('failures of single invoices stand beside successes in a 200', async () => {
  const keys = [randomUUID(), randomUUID(), randomUUID()];
  const long = { name: 'long.pdf', bytes: Buffer.concat([paper(['x']), Buffer.alloc(10_000_000)]) };
  const parts = [
    [FILE, pdf('fine.pdf')],
    [KEY, keys[0]],
    [FILE, { name: 'liar.pdf', bytes: Buffer.from('GIF89a') }],
    [KEY, keys[1]],
    [FILE, long],
    [KEY, keys[2]],
  ];
  const answer = await qonto.bulk(parts);
  assert.equal(answer.status, 200);
  assert.deepEqual(
    answer.json.supplier_invoices.map((row) => row.file_name),
    ['fine.pdf'],
  );
  assert.deepEqual(
    answer.json.errors.map((error) => [error.code, error.source.pointer]),
    keys.slice(1).map((key) => ['invalid', `/supplier_invoices/idempotency_key/${key}/file`]),
  );
  await qonto.steer('switches', { bulk_error_source: 'array' });
  const asArray = await qonto.bulk(parts.slice(2, 4));
  assert.deepEqual(asArray.json.supplier_invoices, []);
  assert.deepEqual(asArray.json.errors[0].source, [
    { pointer: `/supplier_invoices/idempotency_key/${keys[1]}/file` },
  ]);
});

test('the fault errors_200 fails items, with or without making them', async () => {
  const key = randomUUID();
  const operation = 'supplier_invoices.bulk';
  qonto.world.faults.add({ provider: 'qonto', kind: 'errors_200', match: { operation } });
  const failed = await qonto.upload('try.pdf', key);
  assert.deepEqual([failed.status, failed.json.supplier_invoices], [200, []]);
  assert.deepEqual(failed.json.errors, [
    {
      code: 'internal_server_error',
      details: 'Processing file has failed',
      source: [{ pointer: `/supplier_invoices/idempotency_key/${key}` }],
    },
  ]);
  assert.equal((await qonto.upload('try.pdf', key)).json.supplier_invoices.length, 1, 'not cached');

  const second = randomUUID();
  qonto.world.faults.add({
    provider: 'qonto',
    kind: 'errors_200',
    match: { operation },
    params: { code: 'invalid', executed: true, items: [0] },
  });
  assert.equal((await qonto.upload('made.pdf', second)).json.errors[0].code, 'invalid');
  const found = await qonto.list({ query: 'made.pdf', query_fields: 'file_name' });
  assert.equal(found.json.meta.total_count, 1);
});

test('a lost answer: the file name finds the invoice, its key makes no second', async () => {
  const key = randomUUID();
  const name = `sluice_${randomUUID()}.pdf`;
  qonto.world.faults.add({
    provider: 'qonto',
    kind: 'lost_answer',
    match: { operation: 'supplier_invoices.bulk' },
  });
  await assert.rejects(qonto.upload(name, key), { code: 'ECONNRESET' });
  const found = await qonto.list({ query: name, query_fields: 'file_name' });
  assert.deepEqual(
    found.json.supplier_invoices.map((row) => row.file_name),
    [name],
  );
  const [again] = (await qonto.upload(name, key)).json.supplier_invoices;
  assert.equal(again.id, found.json.supplier_invoices[0].id);
  const elsewhere = await qonto.list({ query: name, query_fields: 'supplier_name' });
  assert.equal(elsewhere.json.meta.total_count, 0);
});

test('the search may be late', async () => {
  await qonto.steer('switches', { search_delay_s: 60 });
  const name = `${randomUUID()}.pdf`;
  const [made] = (await qonto.upload(name)).json.supplier_invoices;
  assert.equal((await qonto.list({ query: name })).json.meta.total_count, 0);
  assert.equal((await qonto.invoice(made.id)).status, 200);
  qonto.world.clock.advance(61_000);
  assert.equal((await qonto.list({ query: name })).json.meta.total_count, 1);
});

test('faults that refuse execute nothing; a cut in the middle has executed', async () => {
  const operation = 'supplier_invoices.bulk';
  const add = (kind, params) =>
    qonto.world.faults.add({ provider: 'qonto', kind, match: { operation }, params });
  const before = await qonto.counts();
  add('429', { retry_after: 3 });
  const limited = await qonto.upload('x.pdf');
  assert.deepEqual(
    [limited.status, limited.headers['retry-after'], limited.json.errors[0].code],
    [429, '3', 'too_many_requests'],
  );
  add('5xx', { status: 500 });
  assert.equal((await qonto.upload('x.pdf')).json.errors[0].code, 'unknown');
  add('5xx', { status: 500, body: '' });
  const empty = await qonto.upload('x.pdf');
  assert.deepEqual([empty.status, empty.text], [500, '']);
  add('html');
  assert.match((await qonto.upload('x.pdf')).headers['content-type'], /^text\/html/);
  add('redirect');
  assert.equal((await qonto.upload('x.pdf')).status, 302);
  add('cut');
  await assert.rejects(qonto.upload('x.pdf'));
  assert.equal((await qonto.counts()).invoices, before.invoices);
  add('cut', { at: 'middle' });
  await assert.rejects(qonto.upload('x.pdf'));
  add('5xx', { execute: true });
  assert.equal((await qonto.upload('x.pdf')).status, 503);
  assert.equal((await qonto.counts()).invoices, before.invoices + 2);
});
