// SEPA beneficiaries: list and one. They change through the control API only; writing them at
// Qonto takes strong authentication.

import { apiError, notFound } from './errors.mjs';
import { isoTime, page, sorted, sortOrder } from './paging.mjs';

const PER_PAGE = 25;
const STATUSES = ['pending', 'validated', 'declined'];
const ORDER = { fields: ['updated_at'], fallback: 'updated_at:desc' };

function present(row, nested) {
  const { id, name, email, activity_tag, status, trusted, created_ms, updated_ms } = row;
  const bank = { iban: row.iban, bic: row.bic, currency: 'EUR' };
  return {
    id, name, email, activity_tag, status, trusted, ...(nested ? { bank_account: bank } : bank),
    created_at: isoTime(created_ms), updated_at: isoTime(updated_ms),
  };
}

const refuse = (parameter) => apiError(400, 'invalid', `${parameter} is not valid`, { parameter });

const values = (query, name) =>
  [...query.getAll(name), ...query.getAll(`${name}[]`)].filter(Boolean);

export function listBeneficiaries({ query, qonto }) {
  const { store, switches } = qonto;
  const order = sortOrder(query.get('sort_by'), ORDER);
  if (!order) throw refuse('sort_by');
  const statuses = values(query, 'status');
  if (statuses.some((status) => !STATUSES.includes(status))) throw refuse('status');
  const ibans = values(query, 'iban');
  const trusted = query.get('trusted');
  const hits = [...store.beneficiaries.values()].filter((row) =>
    (!statuses.length || statuses.includes(row.status))
    && (!ibans.length || ibans.includes(row.iban))
    && (!trusted || String(row.trusted) === trusted));
  const rules = { perPage: PER_PAGE, pastEnd: switches.get('past_end') };
  const ordered = sorted(hits, (row) => row.updated_ms, order.descending);
  const { items, meta } = page(ordered, query, rules);
  const nested = switches.get('nested_beneficiaries');
  return { body: { beneficiaries: items.map((row) => present(row, nested)), meta } };
}

export function getBeneficiary({ params, qonto }) {
  const row = qonto.store.beneficiaries.get(params.id);
  if (!row) throw notFound('Beneficiary');
  return { body: { beneficiary: present(row, qonto.switches.get('nested_beneficiaries')) } };
}
