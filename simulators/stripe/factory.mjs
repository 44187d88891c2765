// Makes the objects of a simulated Stripe account and the objects that hang together with them:
// a charge brings its payment intent and its balance transaction, a refund its balance
// transaction and the new state of its charge. Shapes are those of data/stripe-fixtures.json.

import { readFileSync } from 'node:fs';
import { settle } from '../lib/money.mjs';

const FIXTURES = JSON.parse(
  readFileSync(new URL('../data/stripe-fixtures.json', import.meta.url), 'utf8'),
).resources;

const SETTLED_AFTER_S = 3 * 86_400;
const CARD_FEE_RATE = 0.015;
const FEE_FIXED_CENTS = 25;
const DISPUTE_FEE_CENTS = 2000;
const CHARGE_STATES = ['succeeded', 'pending', 'failed'];
const REFUND_STATES = ['pending', 'requires_action', 'succeeded', 'failed', 'canceled'];
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * @param {object} parts
 * @param {import('./account.mjs').StripeAccount} parts.account
 * @param {object} parts.random createRandom()
 */
export function createFactory({ account, random }) {
  const context = { account, random, fragment: random.base62(10) };
  return {
    customer: (fields) => makeCustomer(context, fields),
    charge: (fields) => makeCharge(context, fields),
    refund: (fields) => makeRefund(context, fields),
    payout: (fields) => makePayout(context, fields),
    dispute: (fields) => makeDispute(context, fields),
    /** Changes an object as Stripe would: see applyPatch. */
    patch: (id, changes, nowS) => applyPatch(context, id, changes, nowS),
  };
}

/** The true shape: prefix, version digit, time in base 62, account, eight at random. */
function newId({ random, fragment }, prefix, created, version = '1') {
  return `${prefix}_${version}${base62(created % 62 ** 5, 5)}${fragment}${random.base62(8)}`;
}

function base62(value, length) {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / 62)) {
    text = BASE62[rest % 62] + text;
  }
  return text;
}

const template = (type) => structuredClone(FIXTURES[type]);

/**
 * @param {{created: number, name?, email?, address?, phone?, language?, description?,
 *   metadata?, taxIds?: {type: string, value: string}[]}} fields
 */
function makeCustomer(context, fields) {
  const { account, random } = context;
  const { taxIds = [], language, ...given } = fields;
  const customer = account.put({
    ...template('customer'),
    address: null,
    currency: null,
    discount: null,
    shipping: null,
    invoice_prefix: random.hex(8).toUpperCase(),
    preferred_locales: language ? [language] : [],
    ...given,
    id: `cus_${random.base62(14)}`,
    livemode: account.livemode,
  });
  for (const taxId of taxIds) makeTaxId(context, customer, taxId);
  return customer;
}

function makeTaxId(context, customer, { type, value }) {
  const { account } = context;
  const vat = type === 'eu_vat';
  account.put({
    ...template('tax_id'),
    id: newId(context, 'txi', customer.created),
    created: customer.created,
    country: vat ? value.slice(0, 2) : { gb_vat: 'GB', fr_siren: 'FR' }[type] ?? null,
    customer: customer.id,
    owner: { type: 'customer', customer: customer.id, customer_account: null },
    livemode: account.livemode,
    type,
    value,
    verification: {
      status: vat ? 'verified' : 'unavailable',
      verified_address: null,
      verified_name: vat ? customer.name : null,
    },
  });
}

/**
 * @param {{created: number, amount: number, currency?: string, customer?: string | null,
 *   status?: string, captured?: boolean, method?: 'card' | 'sepa_debit',
 *   billing_details?: object, description?: string | null, statement_descriptor?: string | null,
 *   receipt_email?: string | null, receipt_number?: string | null, metadata?: object}} fields
 *   amount in minor units; billing_details come from the customer where they are not given
 */
function makeCharge(context, fields) {
  const { account } = context;
  const { status = 'succeeded', method = 'card', currency = 'eur', ...given } = fields;
  if (!CHARGE_STATES.includes(status)) throw new TypeError(`no charge status "${status}"`);
  if (!Number.isInteger(given.amount) || given.amount <= 0) throw new TypeError('bad amount');
  const captured = status !== 'failed' && (given.captured ?? true);
  const id = newId(context, 'ch', given.created, '3');
  const intent = makeIntent(context, { ...given, currency, status, captured, charge: id });
  const charge = account.put({
    ...template('charge'),
    ...outcomeOf(status),
    ...chargeFields(context, given),
    id,
    created: given.created,
    currency,
    captured,
    amount_captured: captured ? given.amount : 0,
    livemode: account.livemode,
    payment_intent: intent.id,
    payment_method: newId(context, 'pm', given.created),
    payment_method_details: methodDetails(context, method, given.amount),
    balance_transaction: null,
    transfer_data: null,
    source: null,
    shipping: null,
    receipt_url: `https://pay.stripe.example/receipts/payment/${context.random.base62(40)}`,
  });
  delete charge.refunds;
  if (status === 'succeeded' && captured) settleCharge(context, charge, given.created);
  return charge;
}

function chargeFields(context, given) {
  const customer = context.account.get(given.customer, 'customer');
  if (given.customer && !customer) throw new TypeError(`No such customer: '${given.customer}'`);
  const empty = template('charge').billing_details;
  const billing = given.billing_details ?? {
    email: customer?.email ?? null,
    name: customer?.name ?? null,
    address: customer?.address ?? empty.address,
  };
  return {
    amount: given.amount,
    customer: customer?.id ?? null,
    description: given.description ?? null,
    statement_descriptor: given.statement_descriptor ?? null,
    calculated_statement_descriptor: given.statement_descriptor ?? null,
    receipt_email: given.receipt_email ?? null,
    receipt_number: given.receipt_number ?? null,
    metadata: given.metadata ?? {},
    billing_details: { ...empty, name: null, ...billing },
  };
}

function outcomeOf(status) {
  const failed = status === 'failed';
  return {
    status,
    paid: status === 'succeeded',
    failure_code: failed ? 'card_declined' : null,
    failure_message: failed ? 'Your card was declined.' : null,
    outcome: {
      ...template('charge').outcome,
      network_status: failed ? 'declined_by_network' : 'approved_by_network',
      reason: failed ? 'generic_decline' : null,
      seller_message: failed ? 'The bank did not return any further details.' : 'Payment complete.',
      type: failed ? 'issuer_declined' : 'authorized',
    },
  };
}

function methodDetails({ random }, method, amount) {
  if (method === 'sepa_debit') {
    const mandate = `mandate_${random.base62(24)}`;
    const details = { bank_code: '30003', branch_code: '02110', country: 'FR', mandate,
      fingerprint: random.base62(16), last4: random.digits(4) };
    return { type: 'sepa_debit', sepa_debit: details };
  }
  const { card } = template('charge').payment_method_details;
  card.last4 = random.digits(4);
  card.brand = random.pick(['visa', 'mastercard']);
  card.network = card.brand;
  card.fingerprint = random.base62(16);
  card.country = random.pick(['FR', 'DE', 'GB']);
  card.wallet = null;
  card.overcapture.maximum_amount_capturable = amount;
  return { type: 'card', card };
}

const INTENT_STATES = { succeeded: 'succeeded', pending: 'processing',
  failed: 'requires_payment_method' };

function makeIntent(context, { created, amount, currency, customer, description, status,
  captured, charge }) {
  const { account, random } = context;
  const id = newId(context, 'pi', created, '3');
  const held = status === 'succeeded' && !captured;
  return account.put({
    ...template('payment_intent'),
    id,
    created,
    amount,
    currency,
    customer: customer ?? null,
    description: description ?? null,
    amount_capturable: held ? amount : 0,
    amount_received: status === 'succeeded' && captured ? amount : 0,
    capture_method: captured ? 'automatic' : 'manual',
    client_secret: `${id}_secret_${random.base62(25)}`,
    latest_charge: charge,
    livemode: account.livemode,
    status: held ? 'requires_capture' : INTENT_STATES[status],
    ...Object.fromEntries(['canceled_at', 'last_payment_error', 'next_action', 'processing',
      'shipping', 'transfer_data', 'payment_method_configuration_details']
      .map((name) => [name, null])),
  });
}

/** @returns the balance transaction, made and stored */
function makeBalanceTransaction(context, { source, type, category, cents, feeCents, created,
  rate = null, description = null, availableOn }) {
  const fee = feeCents ?? 0;
  return context.account.put({
    ...template('balance_transaction'),
    id: newId(context, 'txn', created, '3'),
    amount: cents,
    available_on: availableOn ?? created + SETTLED_AFTER_S,
    created,
    currency: 'eur',
    description,
    exchange_rate: rate,
    fee,
    fee_details: fee === 0 ? [] : [{ amount: fee, application: null, currency: 'eur',
      description: 'Stripe processing fees', type: 'stripe_fee' }],
    net: cents - fee,
    reporting_category: category,
    source: source.id,
    type,
  });
}

function settleCharge(context, charge, created) {
  const { cents, rate } = settle(charge.amount, charge.currency);
  const transaction = makeBalanceTransaction(context, {
    source: charge, type: 'charge', category: 'charge', created, rate, cents,
    feeCents: Math.round(cents * CARD_FEE_RATE) + FEE_FIXED_CENTS,
    description: charge.description,
  });
  charge.balance_transaction = transaction.id;
}

/**
 * @param {{charge: string, amount?: number, status?: string, reason?: string | null,
 *   created: number, metadata?: object}} fields amount: what is left of the charge without
 */
function makeRefund(context, { charge: chargeId, amount, status = 'succeeded', reason = null,
  created, metadata = {} }) {
  const { account } = context;
  const charge = account.get(chargeId, 'charge');
  if (!charge) throw new TypeError(`No such charge: '${chargeId}'`);
  if (!REFUND_STATES.includes(status)) throw new TypeError(`no refund status "${status}"`);
  const left = charge.amount_captured - charge.amount_refunded;
  const wanted = amount ?? left;
  if (!Number.isInteger(wanted) || wanted <= 0 || wanted > left) {
    throw new TypeError(`only ${left} of charge ${chargeId} can be refunded`);
  }
  const refund = account.put({
    ...template('refund'),
    id: newId(context, 're', created, '3'),
    amount: wanted,
    charge: charge.id,
    created,
    currency: charge.currency,
    customer: charge.customer,
    payment_intent: charge.payment_intent,
    reason,
    metadata,
    status: 'pending',
  });
  charge.amount_refunded += wanted;
  charge.refunded = charge.amount_refunded === charge.amount_captured;
  moveRefund(context, refund, status, created);
  return refund;
}

/** Money leaves when a refund succeeds and comes back when it fails or is canceled later. */
function moveRefund(context, refund, status, nowS) {
  const { cents, rate } = settle(refund.amount, refund.currency);
  const move = (type, sign) => makeBalanceTransaction(context, {
    source: refund, type, category: type, rate, created: nowS, cents: sign * cents,
    description: type === 'refund' ? 'REFUND' : 'REFUND FAILURE',
  }).id;
  const ended = ['failed', 'canceled'].includes(status);
  if (['succeeded', 'failed'].includes(status) && !refund.balance_transaction) {
    refund.balance_transaction = move('refund', -1);
  }
  if (ended && !['failed', 'canceled'].includes(refund.status)) {
    if (refund.balance_transaction) {
      refund.failure_balance_transaction = move('refund_failure', 1);
    }
    if (status === 'failed') refund.failure_reason = 'lost_or_stolen_card';
    const charge = context.account.get(refund.charge, 'charge');
    charge.amount_refunded -= refund.amount;
    charge.refunded = false;
  }
  refund.status = status;
}

/**
 * @param {{created: number, members: object[], status?: string}} fields members: balance
 *   transactions that no payout took before
 */
function makePayout(context, { created, members, status = 'paid' }) {
  const { account } = context;
  const amount = members.reduce((sum, member) => sum + member.net, 0);
  if (amount <= 0) throw new TypeError('a payout needs a positive sum');
  const payout = account.put({
    ...template('payout'),
    id: newId(context, 'po', created),
    amount,
    arrival_date: created + 2 * 86_400,
    created,
    currency: 'eur',
    destination: newId(context, 'ba', created),
    livemode: account.livemode,
    status: 'in_transit',
    trace_id: null,
  });
  payout.balance_transaction = makeBalanceTransaction(context, {
    source: payout, type: 'payout', category: 'payout', cents: -amount, created,
    description: 'STRIPE PAYOUT', availableOn: payout.arrival_date,
  }).id;
  const own = account.get(payout.balance_transaction);
  for (const member of [...members, own]) account.payoutMembers.set(member.id, payout.id);
  movePayout(context, payout, status, created);
  return payout;
}

function movePayout(context, payout, status, nowS) {
  payout.status = status;
  if (status !== 'failed' || payout.failure_balance_transaction) return;
  payout.failure_code = 'account_closed';
  payout.failure_message = 'The bank account has been closed';
  payout.failure_balance_transaction = makeBalanceTransaction(context, {
    source: payout, type: 'payout_failure', category: 'payout_reversal', cents: payout.amount,
    created: nowS, description: 'STRIPE PAYOUT FAILURE', availableOn: nowS,
  }).id;
}

/** @param {{charge: string, created: number, reason?: string, status?: string}} fields */
function makeDispute(context, { charge: chargeId, created, reason = 'product_not_received',
  status = 'needs_response' }) {
  const { account } = context;
  const charge = account.get(chargeId, 'charge');
  if (!charge) throw new TypeError(`No such charge: '${chargeId}'`);
  const dispute = account.put({
    ...template('dispute'),
    id: newId(context, 'du', created),
    amount: charge.amount,
    charge: charge.id,
    created,
    currency: charge.currency,
    is_charge_refundable: false,
    livemode: account.livemode,
    payment_intent: charge.payment_intent,
    reason,
    status,
  });
  const { cents, rate } = settle(charge.amount, charge.currency);
  dispute.balance_transactions = [makeBalanceTransaction(context, {
    source: dispute, type: 'adjustment', category: 'dispute', rate, created, cents: -cents,
    feeCents: DISPUTE_FEE_CENTS, description: `Chargeback withdrawal for ${charge.id}`,
  })];
  charge.disputed = true;
  return dispute;
}

/**
 * Sets fields of an object. A new status also does what Stripe does then: a charge that succeeds
 * or is captured settles, a refund or a payout that fails gives the money back.
 * @returns the changed object, or null where there is none
 */
function applyPatch(context, id, changes, nowS) {
  const object = context.account.get(id);
  if (!object) return null;
  const { status, ...rest } = changes;
  for (const name of ['id', 'object', 'created']) {
    if (Object.hasOwn(rest, name)) throw new TypeError(`"${name}" never changes`);
  }
  Object.assign(object, structuredClone(rest));
  if (object.object === 'charge') moveCharge(context, object, status ?? object.status, nowS);
  else if (status !== undefined && object.object === 'refund') {
    moveRefund(context, object, status, nowS);
  } else if (status !== undefined && object.object === 'payout') {
    movePayout(context, object, status, nowS);
  } else if (status !== undefined) object.status = status;
  return object;
}

function moveCharge(context, charge, status, nowS) {
  if (!CHARGE_STATES.includes(status)) throw new TypeError(`no charge status "${status}"`);
  if (status !== charge.status) Object.assign(charge, outcomeOf(status));
  if (status === 'failed') charge.captured = false;
  charge.amount_captured = charge.captured ? charge.amount : 0;
  const settled = status === 'succeeded' && charge.captured;
  const intent = context.account.get(charge.payment_intent, 'payment_intent');
  intent.status = status === 'succeeded' && !charge.captured
    ? 'requires_capture' : INTENT_STATES[status];
  intent.amount_received = settled ? charge.amount : 0;
  intent.amount_capturable = intent.status === 'requires_capture' ? charge.amount : 0;
  if (settled && !charge.balance_transaction) settleCharge(context, charge, nowS);
}
