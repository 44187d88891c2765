// Bank transactions: list and one, with the quirks of their filters.

import { ApiError, apiError, transactionNotFound } from './errors.mjs';
import { presentAttachment } from './attachments.mjs';
import { isoTime, page, parseTime, sorted, sortOrder } from './paging.mjs';

const PER_PAGE = 100;
const YEAR_MIN = 2000;
const YEAR_MAX = 2100;
const STATUSES = ['pending', 'declined', 'completed'];
const INCLUDES = ['vat_details', 'labels', 'attachments'];
const TIMES = ['updated_at', 'emitted_at', 'settled_at', 'created_at'];
const ORDER = { fields: TIMES, fallback: 'settled_at:desc' };

/** One transaction in this many has an operation type that no document lists. */
const UNKNOWN_TYPE_EVERY = 16;

const msKey = (field) => field.replace(/_at$/, '_ms');

function findAccount(call) {
  const { bank_accounts: accounts } = call.qonto.store;
  const id = call.query.get('bank_account_id');
  const iban = call.query.get('iban');
  if (!id && !iban) throw apiError(422, 'missing', 'bank_account_id or iban is missing');
  const account = accounts.find((row) => (id ? row.id === id : row.iban === iban));
  if (!account) throw transactionNotFound();
  return account;
}

/** The 400 of this list, whose items name their text `message` in the older documents. */
function badRequest(call, code, text) {
  return new ApiError(400, [{ code, [call.qonto.switches.get('transactions_error_field')]: text }]);
}

function windowBound(call, name) {
  const text = call.query.get(name);
  if (!text) return null;
  const ms = parseTime(text);
  const year = ms === null ? null : new Date(ms).getUTCFullYear();
  if (ms === null || year < YEAR_MIN || year > YEAR_MAX) {
    throw badRequest(call, 'date_invalid',
      `The datetime in ${name} param isn't well formatted (ISO 8601) or year is out of range`);
  }
  return ms;
}

function inWindows(call) {
  const windows = TIMES.map((field) => ({
    key: msKey(field),
    from: windowBound(call, `${field}_from`),
    to: windowBound(call, `${field}_to`),
  })).filter(({ from, to }) => from !== null || to !== null);
  return (row) => windows.every(({ key, from, to }) => row[key] !== null
    && (from === null || row[key] >= from) && (to === null || row[key] <= to));
}

function wantedStatuses(call) {
  const asked = call.query.getAll('status[]').concat(call.query.getAll('status')).filter(Boolean);
  if (asked.some((status) => !STATUSES.includes(status))) {
    throw badRequest(call, 'status_invalid', "At least one status isn't valid");
  }
  if (!asked.length) return ['completed'];
  return call.qonto.switches.get('transactions_single_status') ? asked.slice(-1) : asked;
}

function select(call, account) {
  const { query, qonto } = call;
  const order = sortOrder(query.get('sort_by'), ORDER);
  if (!order) throw badRequest(call, 'sort_invalid', 'Sort field is invalid');
  const statuses = wantedStatuses(call);
  const types = query.getAll('operation_type[]').filter(Boolean);
  const side = query.get('side');
  const attached = query.get('with_attachments');
  const within = inWindows(call);
  const hits = [...qonto.store.transactions.values()].filter((row) =>
    row.bank_account_id === account.id && statuses.includes(row.status) && within(row)
    && (!types.length || types.includes(row.operation_type))
    && (!side || row.side === side)
    && (!attached || (row.attachment_ids.length > 0) === (attached === 'true')));
  return sorted(hits, (row) => row[msKey(order.field)], order.descending);
}

const units = (cents) => (cents === null ? null : cents / 100);

function vatDetails(row) {
  if (row.vat_amount_cents === null) return { items: [] };
  const net = row.amount_cents - row.vat_amount_cents;
  return {
    items: [{
      amount: String(units(row.vat_amount_cents)), amount_cents: String(row.vat_amount_cents),
      amount_excluding_vat: String(units(net)), amount_excluding_vat_cents: String(net),
      rate: String(row.vat_rate),
    }],
  };
}

function included(call, row) {
  const asked = call.query.getAll('includes[]').concat(call.query.getAll('includes'));
  const { store } = call.qonto;
  const makers = {
    vat_details: () => vatDetails(row),
    labels: () => store.labels.filter((label) => row.label_ids.includes(label.id)),
    attachments: () => row.attachment_ids
      .map((id) => presentAttachment(call, store.attachments.get(id))),
  };
  return Object.fromEntries(INCLUDES.filter((name) => asked.includes(name))
    .map((name) => [name, makers[name]()]));
}

function operationType(call, row) {
  const drawn = Number.parseInt(row.id.slice(0, 8), 16) % UNKNOWN_TYPE_EVERY;
  const isUnknown = call.qonto.switches.get('extra_fields') && drawn === 0;
  return isUnknown ? 'wero_payment' : row.operation_type;
}

export function presentTransaction(call, row) {
  const time = (ms) => (ms === null ? null : isoTime(ms));
  return {
    id: row.id, transaction_id: row.transaction_id,
    amount: units(row.amount_cents), amount_cents: row.amount_cents,
    settled_balance: units(row.settled_balance_cents),
    settled_balance_cents: row.settled_balance_cents, attachment_ids: row.attachment_ids,
    logo: null, local_amount: units(row.local_amount_cents),
    local_amount_cents: row.local_amount_cents, side: row.side,
    operation_type: operationType(call, row), currency: row.currency,
    local_currency: row.local_currency, label: row.label,
    clean_counterparty_name: row.clean_counterparty_name, settled_at: time(row.settled_ms),
    emitted_at: time(row.emitted_ms), created_at: time(row.created_ms),
    updated_at: time(row.updated_ms), status: row.status, note: row.note, reference: row.reference,
    vat_amount: units(row.vat_amount_cents), vat_amount_cents: row.vat_amount_cents,
    vat_rate: row.vat_rate, initiator_id: row.initiator_id, label_ids: row.label_ids,
    attachment_lost: false, attachment_required: row.side === 'debit',
    card_last_digits: row.card_last_digits, category: row.category,
    cashflow_category: null, cashflow_subcategory: null, subject_type: row.subject_type,
    bank_account_id: row.bank_account_id, is_external_transaction: false,
    ...(row.counterparty && { [row.counterparty.kind]: row.counterparty.account }),
    ...(call.qonto.switches.get('extra_fields') && { carbon_footprint_grams: null }),
    ...included(call, row),
  };
}

export function listTransactions(call) {
  const { switches } = call.qonto;
  const hits = select(call, findAccount(call));
  const rules = { perPage: PER_PAGE, pastEnd: switches.get('past_end') };
  const { items, meta } = page(hits, call.query, rules);
  return { body: { transactions: items.map((row) => presentTransaction(call, row)), meta } };
}

export function getTransaction(call) {
  const row = call.qonto.store.transactions.get(call.params.id);
  if (!row) throw transactionNotFound();
  return { body: { transaction: presentTransaction(call, row) } };
}
