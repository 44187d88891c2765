import assert from 'node:assert/strict';
import test from 'node:test';
import { createWorld } from '../lib/world.mjs';

const NOW_S = Date.UTC(2026, 10, 20) / 1000;
const world = createWorld({ seed: 11, nowS: NOW_S });
const { live } = world;

test('a seed gives the same world', () => {
  const again = createWorld({ seed: 11, nowS: NOW_S });
  assert.deepEqual(again.live.list('charge'), live.list('charge'));
  assert.deepEqual(again.qontoSeed, world.qontoSeed);
  assert.deepEqual(again.truth(), world.truth());
  const other = createWorld({ seed: 12, nowS: NOW_S });
  assert.notDeepEqual(other.qontoSeed, world.qontoSeed);
});

test('ids have the shapes of the real ones', () => {
  const shapes = { charge: /^ch_3[0-9A-Za-z]{23}$/, payment_intent: /^pi_3[0-9A-Za-z]{23}$/,
    refund: /^re_3[0-9A-Za-z]{23}$/, payout: /^po_1[0-9A-Za-z]{23}$/,
    balance_transaction: /^txn_3[0-9A-Za-z]{23}$/, customer: /^cus_[0-9A-Za-z]{14}$/,
    dispute: /^du_1[0-9A-Za-z]{23}$/, tax_id: /^txi_1[0-9A-Za-z]{23}$/ };
  for (const [type, shape] of Object.entries(shapes)) {
    assert.ok(live.list(type).length > 0, `there is no ${type}`);
    for (const { id } of live.list(type)) assert.match(id, shape);
  }
});

test('every charge hangs together with its intent, customer and balance transaction', () => {
  const states = new Set();
  for (const charge of live.list('charge')) {
    states.add(charge.captured ? charge.status : `${charge.status} uncaptured`);
    assert.equal(live.get(charge.payment_intent, 'payment_intent').latest_charge, charge.id);
    if (charge.customer) assert.ok(live.get(charge.customer, 'customer'));
    const settled = charge.status === 'succeeded' && charge.captured;
    assert.equal(charge.balance_transaction !== null, settled);
    if (!settled) continue;
    const transaction = live.get(charge.balance_transaction, 'balance_transaction');
    assert.equal(transaction.source, charge.id);
    assert.equal(transaction.net, transaction.amount - transaction.fee);
    const fees = transaction.fee_details.reduce((sum, it) => sum + it.amount, 0);
    assert.equal(fees, transaction.fee);
    assert.equal(transaction.exchange_rate === null, charge.currency === 'eur');
  }
  assert.deepEqual([...states].sort(),
    ['failed uncaptured', 'pending', 'succeeded', 'succeeded uncaptured']);
});

test('zero, two and three decimals occur; three-decimal amounts end in zero', () => {
  const seen = new Set(live.list('charge').map((charge) => charge.currency));
  assert.deepEqual([...seen].sort(), ['eur', 'jpy', 'kwd', 'usd']);
  const kwd = live.list('charge').filter((charge) => charge.currency === 'kwd');
  assert.ok(kwd.every((charge) => charge.amount % 10 === 0));
});

test('refunds of each state occur and move the money that they should', () => {
  for (const status of ['succeeded', 'pending', 'failed']) {
    const refund = live.list('refund').find((it) => it.status === status);
    assert.ok(refund, `no ${status} refund`);
    assert.equal(refund.balance_transaction !== null, status !== 'pending');
    assert.equal(Boolean(refund.failure_balance_transaction), status === 'failed');
  }
  for (const charge of live.list('charge')) {
    const refunded = live.list('refund')
      .filter((it) => it.charge === charge.id && it.status !== 'failed')
      .reduce((sum, it) => sum + it.amount, 0);
    assert.equal(charge.amount_refunded, refunded);
  }
});

test('a payout is the sum of its members', () => {
  for (const payout of live.list('payout')) {
    const members = live.list('balance_transaction')
      .filter((it) => live.payoutMembers.get(it.id) === payout.id && it.source !== payout.id);
    assert.equal(members.reduce((sum, it) => sum + it.net, 0), payout.amount);
    assert.equal(live.get(payout.balance_transaction).amount, -payout.amount);
  }
  const states = new Set(live.list('payout').map((payout) => payout.status));
  assert.deepEqual([...states].sort(), ['failed', 'in_transit', 'paid']);
});

test('nothing is from the future and the two accounts share no object', () => {
  for (const type of ['charge', 'refund', 'payout', 'balance_transaction']) {
    for (const object of live.list(type)) assert.ok(object.created < NOW_S);
  }
  const [, sandbox] = world.accounts;
  assert.equal(sandbox.livemode, false);
  for (const charge of sandbox.list('charge')) assert.equal(live.get(charge.id), undefined);
});

test('the truth names exactly the charges and refunds that post, and true entries', () => {
  const truth = world.truth();
  const posting = [
    ...live.list('charge').filter((it) => it.status === 'succeeded' && it.captured),
    ...live.list('refund').filter((it) => it.status === 'succeeded'),
  ].map((it) => it.id);
  assert.deepEqual(truth.map((it) => it.source_id).sort(), posting.sort());
  const entries = truth.filter((it) => it.expected === 'link').map((it) => it.entry);
  assert.equal(new Set(entries).size, entries.length, 'an entry belongs to one record');
  for (const { source_id: id, entry } of truth.filter((it) => it.entry)) {
    const invoice = world.qontoSeed.supplier_invoices.find((it) => it.id === entry);
    assert.equal(invoice.total_minor, live.get(id).amount);
    assert.equal(invoice.currency.toLowerCase(), live.get(id).currency);
  }
  for (const difficulty of ['sure', 'doubtful', 'hopeless']) {
    assert.ok(truth.some((it) => it.difficulty === difficulty), `no ${difficulty} case`);
  }
});

test('no entry that belongs to nothing truly fits another charge by party, amount and day', () => {
  const linked = new Set(world.truth().map((it) => it.entry));
  const twins = new Set(world.truth().filter((it) => /two equal/.test(it.why))
    .map((it) => live.get(it.source_id).amount));
  const name = (text) => text.normalize('NFD').replace(/\P{L}/gu, '').toLowerCase();
  for (const invoice of world.qontoSeed.supplier_invoices) {
    if (linked.has(invoice.id) || twins.has(invoice.total_minor)) continue;
    const issuedS = Date.parse(invoice.issue_date) / 1000;
    const fits = live.list('charge').filter((charge) => charge.amount === invoice.total_minor
      && Math.abs(charge.created - issuedS) < 5 * 86_400 && charge.billing_details.name
      && name(charge.billing_details.name) === name(invoice.supplier_name));
    assert.deepEqual(fits.map((it) => it.id), []);
  }
});

test('small and large worlds keep their promises', () => {
  for (const charges of [1, 5, 1000]) {
    const made = createWorld({ seed: 2, nowS: NOW_S, charges });
    assert.equal(made.live.list('charge').length, charges);
    assert.ok(made.truth().every((it) => it.expected === 'create' || it.entry));
  }
  assert.throws(() => createWorld({ nowS: NOW_S, charges: 0 }), RangeError);
});
