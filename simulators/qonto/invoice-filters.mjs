// The filters, the search and the order of the list of supplier invoices.

import { apiError } from './errors.mjs';
import { isoDate, parseTime, sorted, sortOrder } from './paging.mjs';

const STATUSES = ['to_review', 'to_approve', 'to_pay', 'pending', 'awaiting_payment', 'scheduled',
  'paid', 'rejected', 'archived', 'discarded'];
const DAY_MS = 86_400_000;
const SEARCH_FIELDS = ['supplier_name', 'amount', 'file_name', 'invoice_number'];

const ORDER = {
  fields: ['created_at', 'updated_at', 'file_name', 'supplier_name', 'payment_date', 'due_date',
    'scheduled_date', 'total_amount'],
  fallback: 'created_at:desc',
};

const refuse = (parameter, code, detail) => apiError(400, code, detail, { parameter });

function oneOf(parameter, value, allowed) {
  if (allowed.includes(value)) return value;
  throw refuse(parameter, 'not_in_list', `${parameter} must be one of: ${allowed.join(', ')}`);
}

/** Every value of a filter, given as `filter[name]` or `filter[name][]`. */
const values = (query, name) =>
  [...query.getAll(`filter[${name}]`), ...query.getAll(`filter[${name}][]`)].filter(Boolean);

const single = (query, name) => values(query, name).at(-1) ?? null;

function flag(query, name) {
  const value = single(query, name);
  return value === null ? null : oneOf(`filter[${name}]`, value, ['true', 'false']) === 'true';
}

/** A bound of a window of times, checked as Qonto does. */
function bound(query, name, now) {
  const text = single(query, name);
  if (text === null) return null;
  const ms = parseTime(text);
  if (ms === null) {
    throw refuse(`filter[${name}]`, 'invalid_time',
      `${name} is not a valid time. Refer to the documentation for the right format.`);
  }
  if (name.endsWith('_from') && ms > now) {
    throw refuse(`filter[${name}]`, 'invalid_datetime_range', `${name} must be in the past.`);
  }
  return ms;
}

function windowTest(query, name, key, now) {
  const from = bound(query, `${name}_from`, now);
  const to = bound(query, `${name}_to`, now);
  if (from === null && to === null) return null;
  return (invoice) => invoice[key] >= (from ?? -Infinity) && invoice[key] <= (to ?? Infinity);
}

/** First and last day of what a word such as `past_week` names, by UTC. */
function daysOf(word, now) {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  const date = new Date(today);
  const monday = today - ((date.getUTCDay() + 6) % 7) * DAY_MS;
  const month = (offset) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + offset, 1);
  const spans = {
    today: [today, today], yesterday: [today - DAY_MS, today - DAY_MS],
    this_week: [monday, monday + 6 * DAY_MS], past_week: [monday - 7 * DAY_MS, monday - DAY_MS],
    this_month: [month(0), month(1) - DAY_MS], past_month: [month(-1), month(0) - DAY_MS],
  };
  return spans[word].map(isoDate);
}

const WORDS = ['today', 'yesterday', 'this_week', 'past_week', 'this_month', 'past_month'];

function dayTest(query, name, now) {
  const word = single(query, name);
  if (word === null) return null;
  const [first, last] = daysOf(oneOf(`filter[${name}]`, word, WORDS), now);
  return (invoice) => invoice[name] !== null && invoice[name] >= first && invoice[name] <= last;
}

function dueTest(query, now) {
  const words = values(query, 'due_date');
  if (!words.length) return null;
  const today = isoDate(now);
  const tests = {
    past_and_today: (date) => date !== null && date <= today,
    future: (date) => date !== null && date > today,
    missing_date: (date) => date === null,
  };
  for (const word of words) oneOf('filter[due_date]', word, Object.keys(tests));
  return (invoice) => words.some((word) => tests[word](invoice.due_date));
}

function amountTest(query) {
  const text = single(query, 'payable_amount');
  if (text === null) return null;
  const hit = /^(lte|gte):(\d+(?:\.\d+)?):([A-Z]{3})$/.exec(text);
  if (!hit) throw refuse('filter[payable_amount]', 'invalid', 'payable_amount is not valid');
  const [, order, amount, currency] = hit;
  return ({ total_amount: total }) => total !== null && total.currency === currency
    && (order === 'lte' ? Number(total.value) <= Number(amount)
      : Number(total.value) >= Number(amount));
}

function listTest(query, name, key, allowed = null) {
  const wanted = values(query, name);
  if (!wanted.length) return null;
  if (allowed) for (const value of wanted) oneOf(`filter[${name}]`, value, allowed);
  return (invoice) => wanted.includes(invoice[key]);
}

function flagTest(query, name, holds) {
  const wanted = flag(query, name);
  return wanted === null ? null : (invoice) => holds(invoice) === wanted;
}

function documentTypeTest(query) {
  const types = values(query, 'document_type');
  if (!types.length) return null;
  for (const type of types) {
    oneOf('filter[document_type]', type, ['duplicates', 'non_financial_documents']);
  }
  return (invoice) => types.includes('duplicates') && invoice.has_duplicates;
}

const lacksData = (invoice) => ['supplier_name', 'invoice_number', 'total_amount', 'issue_date']
  .some((field) => invoice[field] === null);

/** Full text: every word of the query occurs in one of the fields. */
function searchTest(query, now, delayS) {
  const text = query.get('query');
  if (text === null || text.trim() === '') return null;
  const asked = [...query.getAll('query_fields'), ...query.getAll('query_fields[]')]
    .flatMap((value) => value.split(',')).filter(Boolean);
  for (const field of asked) oneOf('query_fields', field, SEARCH_FIELDS);
  const fields = asked.length ? asked : SEARCH_FIELDS;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const value = (invoice, field) =>
    String((field === 'amount' ? invoice.total_amount?.value : invoice[field]) ?? '').toLowerCase();
  return (invoice) => invoice.created_ms + delayS * 1000 <= now
    && fields.some((field) => words.every((word) => value(invoice, field).includes(word)));
}

function tests(query, now, switches) {
  const from = single(query, 'issue_date_from');
  if (from !== null && !/^\d{4}-\d\d-\d\d$/.test(from)) {
    throw refuse('filter[issue_date_from]', 'invalid_time', 'issue_date_from is not a valid date.');
  }
  return [
    listTest(query, 'status', 'status', STATUSES),
    listTest(query, 'attachment_id', 'attachment_id'),
    listTest(query, 'approver_id', 'approver_id'),
    windowTest(query, 'created_at', 'created_ms', now),
    windowTest(query, 'updated_at', 'updated_ms', now),
    dueTest(query, now),
    dayTest(query, 'payment_date', now),
    dayTest(query, 'issue_date', now),
    from && ((invoice) => invoice.issue_date !== null && invoice.issue_date >= from),
    flagTest(query, 'missing_data', lacksData),
    flagTest(query, 'matched_transactions', () => false),
    flag(query, 'exclude_credit_notes') ? (invoice) => !invoice.is_credit_note : null,
    documentTypeTest(query),
    amountTest(query),
    searchTest(query, now, switches.get('search_delay_s')),
  ].filter(Boolean);
}

const SORT_VALUES = {
  created_at: (invoice) => invoice.created_ms,
  updated_at: (invoice) => invoice.updated_ms,
  total_amount: (invoice) => (invoice.total_amount ? Number(invoice.total_amount.value) : null),
};

/**
 * @param {Iterable<import('./store.mjs').Invoice>} invoices
 * @param {URLSearchParams} query
 * @param {{now: number, switches: object}} context
 * @returns {import('./store.mjs').Invoice[]} in the order asked for
 */
export function selectInvoices(invoices, query, { now, switches }) {
  const order = sortOrder(query.get('sort_by'), ORDER);
  if (!order) throw refuse('sort_by', 'invalid', 'sort_by is not valid');
  const all = tests(query, now, switches);
  const hits = [...invoices].filter((invoice) => all.every((test) => test(invoice)));
  const value = SORT_VALUES[order.field] ?? ((invoice) => invoice[order.field]);
  return sorted(hits, value, order.descending);
}
