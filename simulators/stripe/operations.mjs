// The operations of Stripe's API that the simulated MCP server serves, addressed by OpenAPI
// operation id: what each takes, what it answers and in which words it refuses.

import { StripeError, matchesRange, readInteger, readRange, readText } from './parameters.mjs';

const LIMIT_DEFAULT = 10;
const LIMIT_MAX = 100;
const EXPAND_DEPTH_MAX = 4;

const refunds = (account, charge) => listObject(
  account.list('refund').filter((it) => it.charge === charge.id),
  `/v1/charges/${charge.id}/refunds`);
const taxIds = (account, customer) => listObject(
  account.list('tax_id').filter((it) => it.customer === customer.id),
  `/v1/customers/${customer.id}/tax_ids`);

/** What an object may be expanded with: a field that holds an id, or something looked up. */
const EXPANDABLE = {
  charge: { balance_transaction: true, customer: true, payment_intent: true,
    failure_balance_transaction: true, refunds },
  refund: { balance_transaction: true, charge: true, payment_intent: true, customer: true,
    failure_balance_transaction: true },
  payout: { balance_transaction: true, failure_balance_transaction: true },
  balance_transaction: { source: true },
  payment_intent: { customer: true, latest_charge: true },
  dispute: { charge: true, payment_intent: true },
  customer: { tax_ids: taxIds },
  tax_id: { customer: true },
};

const equals = (field) => ({ type: 'string', keep: (object, wanted) => object[field] === wanted });
const between = (field) => ({
  type: 'object', keep: (object, range) => matchesRange(object[field], range),
});
const ofPayout = {
  type: 'string',
  keep: (object, wanted, account) => account.payoutMembers.get(object.id) === wanted,
};

const filters = (...fields) => ({
  created: between('created'),
  ...Object.fromEntries(fields.map((field) => [field, equals(field)])),
});

/** One row per kind of object: [list operation, retrieve operation, path, permission, filters]. */
const RESOURCES = {
  charge: ['GetCharges', 'GetChargesCharge', 'charges', 'charge_read',
    filters('customer', 'payment_intent', 'transfer_group')],
  refund: ['GetRefunds', 'GetRefundsRefund', 'refunds', 'charge_read',
    filters('charge', 'payment_intent')],
  payout: ['GetPayouts', 'GetPayoutsPayout', 'payouts', 'payout_read',
    { ...filters('destination', 'status'), arrival_date: between('arrival_date') }],
  customer: ['GetCustomers', 'GetCustomersCustomer', 'customers', 'customer_read',
    filters('email', 'test_clock')],
  dispute: ['GetDisputes', 'GetDisputesDispute', 'disputes', 'dispute_read',
    filters('charge', 'payment_intent')],
  balance_transaction: ['GetBalanceTransactions', 'GetBalanceTransactionsId',
    'balance_transactions', 'balance_read',
    { ...filters('currency', 'source', 'type'), payout: ofPayout }],
  payment_intent: ['GetPaymentIntents', 'GetPaymentIntentsIntent', 'payment_intents',
    'payment_intent_read', filters('customer')],
};

const named = (type) => type.replace('_', ' ');
const idParameter = { id: { type: 'string', required: true, description: 'Id of the object.' } };
const expandParameter = { expand: { type: 'array', items: { type: 'string' }, required: false,
  description: 'Fields to answer in full.' } };
const pagingParameters = {
  limit: { type: 'integer', required: false, description: 'Objects per page, 1 to 100.' },
  starting_after: { type: 'string', required: false, description: 'Continue after this id.' },
  ending_before: { type: 'string', required: false, description: 'Continue before this id.' },
  ...expandParameter,
};

/**
 * @typedef {object} Operation
 * @property {string} id
 * @property {'get' | 'post'} method
 * @property {string} path
 * @property {string} summary
 * @property {{path: object, query: object, body: object}} parameters name to description
 * @property {string[]} required_permissions
 * @property {(context: {account, nowS: number, factory}, parameters: object) => object} run
 */

/** @type {Map<string, Operation>} */
export const OPERATIONS = new Map(
  [
    ...Object.entries(RESOURCES).flatMap(([type, row]) => [listOf(type, row), oneOf(type, row)]),
    taxIdsOfCustomer(),
    balance(),
    createRefund(),
  ].map((operation) => [operation.id, operation]),
);

function listOf(type, [id, , collection, permission, wanted]) {
  const query = { ...pagingParameters };
  for (const [name, { type: shape }] of Object.entries(wanted)) {
    query[name] = { type: shape, required: false, description: `Only where ${name} is this.` };
  }
  return {
    id,
    method: 'get',
    path: `/v1/${collection}`,
    summary: `List all ${named(type)}s`,
    tags: [collection],
    parameters: { path: {}, query, body: {} },
    required_permissions: [permission],
    run(context, parameters) {
      const given = readFilters(wanted, parameters);
      const objects = context.account.list(type).filter((object) => (
        given.every(([filter, value]) => filter.keep(object, value, context.account))));
      return page(context, { type, objects, parameters, url: `/v1/${collection}` });
    },
  };
}

function readFilters(wanted, parameters) {
  return Object.entries(wanted)
    .filter(([name]) => parameters[name] !== undefined)
    .map(([name, filter]) => [filter, filter.type === 'object'
      ? readRange(name, parameters[name]) : readText(name, parameters[name])]);
}

function oneOf(type, [, id, collection, permission]) {
  return {
    id,
    method: 'get',
    path: `/v1/${collection}/{id}`,
    summary: `Retrieve a ${named(type)}`,
    tags: [collection],
    parameters: { path: idParameter, query: expandParameter, body: {} },
    required_permissions: [permission],
    run(context, parameters) {
      const object = mustFind(context.account, type, parameters.id);
      return expanded(context, view(context, object), readExpand(parameters.expand), '');
    },
  };
}

function taxIdsOfCustomer() {
  return {
    id: 'GetCustomersCustomerTaxIds',
    method: 'get',
    path: '/v1/customers/{id}/tax_ids',
    summary: "List all of a customer's tax ids",
    tags: ['customers', 'tax_ids'],
    parameters: { path: idParameter, query: pagingParameters, body: {} },
    required_permissions: ['customer_read'],
    run(context, parameters) {
      const customer = mustFind(context.account, 'customer', parameters.id);
      const objects = context.account.list('tax_id').filter((it) => it.customer === customer.id);
      const url = `/v1/customers/${customer.id}/tax_ids`;
      return page(context, { type: 'tax_id', objects, parameters, url });
    },
  };
}

function balance() {
  return {
    id: 'GetBalance',
    method: 'get',
    path: '/v1/balance',
    summary: 'Retrieve balance',
    tags: ['balance'],
    parameters: { path: {}, query: expandParameter, body: {} },
    required_permissions: ['balance_read'],
    run({ account, nowS }) {
      const sum = (available) => account.list('balance_transaction')
        .filter((it) => (it.available_on <= nowS) === available)
        .reduce((total, it) => total + it.net, 0);
      const entry = (amount) => [{ amount, currency: 'eur', source_types: { card: amount } }];
      return { object: 'balance', available: entry(sum(true)), livemode: account.livemode,
        pending: entry(sum(false)) };
    },
  };
}

function createRefund() {
  return {
    id: 'PostRefunds',
    method: 'post',
    path: '/v1/refunds',
    summary: 'Create a refund',
    tags: ['refunds'],
    parameters: {
      path: {},
      query: {},
      body: {
        charge: { type: 'string', required: true, description: 'The charge to refund.' },
        amount: { type: 'integer', required: false, description: 'Part of it, in minor units.' },
        reason: { type: 'string', required: false, description: 'Why.',
          enum: ['duplicate', 'fraudulent', 'requested_by_customer'] },
      },
    },
    required_permissions: ['charge_write'],
    run(context, { charge, amount, reason }) {
      mustFind(context.account, 'charge', charge);
      try {
        return context.factory.refund({ charge, reason, created: context.nowS,
          amount: amount === undefined ? undefined : readInteger('amount', amount) });
      } catch (error) {
        if (error instanceof TypeError) throw new StripeError(error.message);
        throw error;
      }
    },
  };
}

function mustFind(account, type, id) {
  const object = account.get(readText('id', id), type);
  if (!object) throw new StripeError(`No such ${missingName(type)}: '${id}'`);
  return object;
}

const missingName = (type) => (type === 'payment_intent' ? type : named(type));

/**
 * Newest first. starting_after: the page that follows it. ending_before: the page just before it,
 * that is the nearest newer ones, still newest first.
 */
function page(context, { type, objects, parameters, url }) {
  const limit = readLimit(parameters.limit);
  const { starting_after: after, ending_before: before } = parameters;
  if (after !== undefined && before !== undefined) {
    throw new StripeError('Received both starting_after and ending_before parameters. '
      + 'Please pass in only one.', { hint: true });
  }
  const placeOf = (id) => {
    mustFind(context.account, type, id);
    return objects.findIndex((it) => it.id === id);
  };
  let from = 0;
  let to = limit;
  let more = objects.length > limit;
  if (after !== undefined) {
    from = placeOf(after) + 1;
    to = from + limit;
    more = to < objects.length;
  } else if (before !== undefined) {
    to = Math.max(0, placeOf(before));
    from = Math.max(0, to - limit);
    more = from > 0;
  }
  const data = objects.slice(from, to).map((object) => view(context, object));
  const list = { ...listObject(data, url), has_more: more };
  return expanded(context, list, readExpand(parameters.expand), '');
}

function listObject(data, url) {
  return { object: 'list', data, has_more: false, url };
}

function readLimit(value) {
  if (value === undefined) return LIMIT_DEFAULT;
  return Math.min(Math.max(readInteger('limit', value), 1), LIMIT_MAX);
}

/** What the caller sees: a copy, with what depends on the hour. */
function view({ nowS }, object) {
  const copy = structuredClone(object);
  if (copy.object === 'balance_transaction') {
    copy.status = copy.available_on <= nowS ? 'available' : 'pending';
  }
  return copy;
}

function readExpand(value) {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((it) => typeof it === 'string')) {
    throw new StripeError('Invalid array: expand', { hint: true });
  }
  for (const path of value) {
    if (path.split('.').length > EXPAND_DEPTH_MAX) {
      throw new StripeError(`You cannot expand more than ${EXPAND_DEPTH_MAX} levels of a property: `
        + path);
    }
  }
  return value;
}

/** Expands each path, "data.balance_transaction" in a list, "customer" in an object. */
function expanded(context, target, paths) {
  for (const path of paths) expandPath(context, target, path.split('.'), path);
  return target;
}

function expandPath(context, target, [name, ...rest], whole) {
  if (target.object === 'list') {
    if (name !== 'data' || rest.length === 0) throw cannotExpand(whole);
    for (const element of target.data) expandPath(context, element, rest, whole);
    return;
  }
  const way = EXPANDABLE[target.object]?.[name];
  if (!way) throw cannotExpand(whole);
  if (typeof target[name] === 'string') {
    const found = context.account.get(target[name]);
    if (found) target[name] = view(context, found);
  } else if (typeof way === 'function' && target[name] === undefined) {
    target[name] = structuredClone(way(context.account, target));
  }
  if (rest.length > 0 && target[name] !== null && typeof target[name] === 'object') {
    expandPath(context, target[name], rest, whole);
  }
}

const cannotExpand = (path) => new StripeError(`This property cannot be expanded (${path}).`,
  { hint: true });

/** Checks the names of all parameters and runs. @returns the bare object or list */
export function runOperation(operation, context, parameters) {
  const { path, query, body } = operation.parameters;
  const known = { ...path, ...query, ...body };
  for (const name of Object.keys(parameters)) {
    if (!Object.hasOwn(known, name)) {
      throw new StripeError(`Received unknown parameter: ${name}`, { hint: true });
    }
  }
  return operation.run(context, parameters);
}

/** The required ones that are not given, as [kind, names]; checked before Stripe is asked. */
export function missingParameters(operation, parameters) {
  for (const kind of ['path', 'query', 'body']) {
    const names = Object.entries(operation.parameters[kind])
      .filter(([name, { required }]) => required && parameters[name] === undefined)
      .map(([name]) => name);
    if (names.length > 0) return [kind, names];
  }
  return null;
}

export { StripeError };
