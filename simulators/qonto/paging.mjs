// Pages, sort orders and times as the list endpoints read them. `current_page` in a request has no
// meaning here, as at Qonto: whoever sends it gets page 1.

import { apiError } from './errors.mjs';

export const PER_PAGE_MAX = 100;
const PAGE_MAX = 1_000_000;

/** A positive number of the query, or `fallback`; at most `max`. */
function positive(query, name, fallback, max) {
  const text = query.get(name);
  if (text === null || text === '') return fallback;
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) {
    throw apiError(400, 'invalid', `${name} must be a positive integer`, { parameter: name });
  }
  return Math.min(Number(text), max);
}

/**
 * Cut one page out of a sorted list.
 * @template T
 * @param {T[]} items
 * @param {URLSearchParams} query
 * @param {{perPage: number, pastEnd: string}} rules
 * @returns {{items: T[], meta: object}}
 */
export function page(items, query, rules) {
  const perPage = positive(query, 'per_page', rules.perPage, PER_PAGE_MAX);
  const current = positive(query, 'page', 1, PAGE_MAX);
  const totalPages = Math.ceil(items.length / perPage);
  if (current > Math.max(totalPages, 1) && rules.pastEnd === 'unprocessable') {
    throw apiError(422, 'invalid', 'page is out of range', { parameter: 'page' });
  }
  return {
    items: items.slice((current - 1) * perPage, current * perPage),
    meta: {
      current_page: current,
      next_page: current < totalPages ? current + 1 : null,
      prev_page: current > 1 ? current - 1 : null,
      total_pages: totalPages,
      total_count: items.length,
      per_page: perPage,
    },
  };
}

/**
 * The order asked for by `sort_by=field:order`.
 * @param {string|null} text
 * @param {{fields: string[], fallback: string}} rules
 * @returns {{field: string, descending: boolean}|null} null when it is not allowed
 */
export function sortOrder(text, rules) {
  const [field, order = 'desc', more] = (text || rules.fallback).split(':');
  if (more !== undefined || !rules.fields.includes(field)) return null;
  if (order !== 'asc' && order !== 'desc') return null;
  return { field, descending: order === 'desc' };
}

/**
 * Sorted copy. Values that are null come last in both directions; equal ones keep the order of ids,
 * so that a page is the same twice.
 * @template T
 * @param {T[]} items
 * @param {(item: T) => string|number|null} value
 * @param {boolean} descending
 */
export function sorted(items, value, descending) {
  const sign = descending ? -1 : 1;
  return [...items].sort((a, b) => {
    const x = value(a);
    const y = value(b);
    if (x === null || y === null) return (x === null) - (y === null) || byId(a, b);
    return x < y ? -sign : x > y ? sign : byId(a, b);
  });
}

function byId(a, b) {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

const RFC3339 = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i;

/** Milliseconds of a time, or null when it is none. @param {string} text */
export function parseTime(text) {
  if (!RFC3339.test(text)) return null;
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text) || !/\d\d:\d\d/.test(text);
  const ms = Date.parse(hasZone ? text : `${text}Z`);
  return Number.isNaN(ms) ? null : ms;
}

/** `2026-01-31T10:00:00.000Z` @param {number} ms */
export const isoTime = (ms) => new Date(ms).toISOString();

/** `2026-01-31` @param {number} ms */
export const isoDate = (ms) => isoTime(ms).slice(0, 10);
