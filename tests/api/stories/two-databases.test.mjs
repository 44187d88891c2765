// The directory in one database and the region in another: the same job, and each keeps to its own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertOnceAndExplained, buy, integrated, itemIn, retire } from '../support/flow.mjs';
import { dump, Installation, psql } from '../support/installation.mjs';

const installation = new Installation('directory_alone', { region: 'region_alone' });
let flow;
before(async () => {
  await installation.prepare();
  const site = await installation.serve();
  installation.work();
  flow = await integrated({ at: site });
});
after(async () => {
  if (flow) await retire(flow);
  await installation.stop();
});

test('a purchase goes from Stripe into Qonto', async () => {
  const [charge] = await buy(flow);
  await itemIn(flow, charge.id, 'delivered');
  await assertOnceAndExplained(flow, [charge.id]);
  const record = dump('directory_alone').toString('latin1');
  assert.ok(!record.includes(charge.id), 'a record is in the directory');
  assert.ok(!record.includes(flow.stripe.account.id), 'an account is in the directory');
});

test('people are in the directory only', async () => {
  assert.equal(
    psql('directory_alone', 'SELECT email FROM directory.app_user').trim(),
    'operator@example.com',
  );
  assert.ok(!dump('region_alone').includes('operator@example.com'));
});

test('neither has the tables of the other', () => {
  const tables = (database, schema) =>
    Number(
      psql(
        database,
        `SELECT count(*) FROM pg_tables WHERE schemaname = '${schema}' AND tablename <> 'migration'`,
      ),
    );
  assert.equal(tables('directory_alone', 'region'), 0);
  assert.equal(tables('region_alone', 'directory'), 0);
  assert.ok(tables('directory_alone', 'directory') > 5);
  assert.ok(tables('region_alone', 'region') > 20);
});
