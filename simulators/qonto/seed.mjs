// Puts things into the store that did not come through the API: what the world held at the start,
// and what a test injects. Shapes of the input: lib/qonto-seed.mjs.

import { createHash } from 'node:crypto';
import { paper } from './paper.mjs';

const STATUSES = ['to_review', 'to_approve', 'to_pay', 'pending', 'awaiting_payment', 'scheduled',
  'paid', 'rejected', 'archived', 'discarded'];
const DOCUMENT_BYTES_MAX = 5_000_000;

const SUBJECTS = {
  income: 'Income', transfer: 'Transfer', card: 'Card', direct_debit: 'DirectDebit',
  qonto_fee: 'BillingTransfer', cheque: 'Check', swift_income: 'SwiftIncome',
};
/** The kinds of operations whose object carries the account of the other side, by their key. */
const WITH_COUNTERPARTY = ['income', 'transfer', 'direct_debit', 'swift_income'];

const need = (holds, what) => {
  if (!holds) throw new TypeError(what);
};
const isTime = (value) => Number.isFinite(value);
const ms = (seconds, fallback) => (seconds === undefined ? fallback : seconds === null ? null
  : Math.round(seconds * 1000));

function checkInvoice(row) {
  need(typeof row === 'object' && row !== null, 'an invoice is an object');
  need(typeof row.file_name === 'string' && row.file_name, 'file_name is needed');
  need(row.status === undefined || STATUSES.includes(row.status), 'status is not one of Qonto\'s');
  need(row.total_amount === undefined || row.total_amount === null
    || /^\d+(\.\d+)?$/.test(row.total_amount.value ?? ''), 'total_amount.value is a decimal');
  for (const key of ['created_at_s', 'updated_at_s', 'analyzed_at_s']) {
    need(row[key] === undefined || row[key] === null || isTime(row[key]), `${key} is in seconds`);
  }
}

function documentOf(row) {
  if (row.document_base64 === undefined) {
    const total = row.total_amount ? `${row.total_amount.value} ${row.total_amount.currency}` : '';
    return paper([`Supplier: ${row.supplier_name ?? ''}`,
      `Invoice number: ${row.invoice_number ?? ''}`, `Invoice date: ${row.issue_date ?? ''}`,
      `Total: ${total}`, row.file_name]);
  }
  need(typeof row.document_base64 === 'string', 'document_base64 is a text');
  const bytes = Buffer.from(row.document_base64, 'base64');
  need(bytes.length <= DOCUMENT_BYTES_MAX, `a document has at most ${DOCUMENT_BYTES_MAX} bytes`);
  return bytes;
}

/**
 * @param {import('./store.mjs').Store} store
 * @param {object} row a SeedInvoice; everything but file_name may be left out
 */
export function putInvoice(store, row) {
  checkInvoice(row);
  const content = documentOf(row);
  const attachment = store.addAttachment({
    file_name: row.file_name, content_type: 'application/pdf', bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'), content,
  });
  const created = ms(row.created_at_s, store.clock.now());
  attachment.created_ms = created;
  const read = (key) => row[key] ?? null;
  return store.addInvoice(attachment, {
    ...(row.id && { id: row.id }), status: row.status ?? 'to_review',
    source_type: row.source_type ?? 'email', source: row.source ?? 'email_forward',
    supplier_name: read('supplier_name'), invoice_number: read('invoice_number'),
    total_amount: row.total_amount ? { ...row.total_amount } : null,
    issue_date: read('issue_date'), due_date: read('due_date'), vat_number: read('vat_number'),
    iban: read('iban'), description: read('description'),
    payment_date: row.payment_date ?? (row.status === 'paid' ? read('issue_date') : null),
    is_credit_note: row.is_credit_note === true, is_einvoice: row.is_einvoice === true,
    created_ms: created, updated_ms: ms(row.updated_at_s, created),
    analyzed_ms: ms(row.analyzed_at_s, created), analysis_due_ms: null,
  });
}

function checkTransaction(row) {
  need(typeof row === 'object' && row !== null, 'a transaction is an object');
  need(Number.isSafeInteger(row.amount_cents) && row.amount_cents >= 0,
    'amount_cents is a positive integer');
  need(row.side === 'credit' || row.side === 'debit', 'side is credit or debit');
  need(typeof row.label === 'string', 'label is needed');
  need(['pending', 'declined', 'completed', undefined].includes(row.status), 'unknown status');
}

function counterparty(row) {
  if (!WITH_COUNTERPARTY.includes(row.operation_type)) return null;
  return {
    kind: row.operation_type,
    account: {
      counterparty_account_number: row.counterparty_iban ?? '',
      counterparty_account_number_format: row.counterparty_iban ? 'IBAN' : '',
      counterparty_bank_identifier: '', counterparty_bank_identifier_format: '',
    },
  };
}

function times(row, now) {
  const emitted = ms(row.emitted_at_s, now);
  const isCompleted = (row.status ?? 'completed') === 'completed';
  const settled = isCompleted ? ms(row.settled_at_s, emitted) : null;
  return {
    emitted_ms: emitted, settled_ms: settled, created_ms: emitted,
    updated_ms: ms(row.updated_at_s, settled ?? emitted),
  };
}

/**
 * @param {import('./store.mjs').Store} store
 * @param {object} row a SeedTransaction; amount_cents, side and label are needed. An `id` that
 *   exists replaces that transaction.
 */
export function putTransaction(store, row) {
  checkTransaction(row);
  const account = store.bank_accounts[0];
  const type = row.operation_type ?? (row.side === 'credit' ? 'income' : 'transfer');
  const transaction = {
    id: row.id ?? store.newId(),
    transaction_id: `${account.slug}-transaction-${store.transactions.size + 1}`,
    bank_account_id: account.id, status: row.status ?? 'completed', side: row.side,
    amount_cents: row.amount_cents, currency: account.currency,
    local_amount_cents: row.local_amount_cents ?? row.amount_cents,
    local_currency: row.local_currency ?? account.currency, settled_balance_cents: null,
    operation_type: type, subject_type: SUBJECTS[type] ?? 'Other', label: row.label,
    clean_counterparty_name: row.clean_counterparty_name ?? null, note: row.note ?? null,
    reference: row.reference ?? null, vat_amount_cents: row.vat_amount_cents ?? null,
    vat_rate: row.vat_rate ?? null, initiator_id: row.side === 'debit' ? store.membership_id : null,
    label_ids: [], attachment_ids: [], category: 'other', counterparty: counterparty({
      ...row, operation_type: type,
    }),
    card_last_digits: type === 'card' ? '4242' : null, ...times(row, store.clock.now()),
  };
  store.transactions.set(transaction.id, transaction);
  return transaction;
}

/**
 * @param {import('./store.mjs').Store} store
 * @param {object} row name and iban are needed. An `id` that exists replaces that beneficiary.
 */
export function putBeneficiary(store, row) {
  need(typeof row === 'object' && row !== null, 'a beneficiary is an object');
  need(typeof row.name === 'string' && row.name, 'name is needed');
  need(/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(row.iban ?? ''), 'iban is needed');
  need(['pending', 'validated', 'declined', undefined].includes(row.status), 'unknown status');
  const now = store.clock.now();
  const beneficiary = {
    id: row.id ?? store.newId(), name: row.name, iban: row.iban, bic: row.bic ?? null,
    email: row.email ?? null, activity_tag: row.activity_tag ?? null,
    status: row.status ?? 'validated', trusted: row.trusted === true,
    created_ms: ms(row.created_at_s, now), updated_ms: ms(row.updated_at_s, now),
  };
  store.beneficiaries.set(beneficiary.id, beneficiary);
  return beneficiary;
}

/** @param {import('./store.mjs').Store} store @param {object} seed world.qontoSeed */
export function plant(store, seed) {
  const { organization, bank_account: account } = seed;
  store.organization = { ...organization };
  store.bank_accounts = [{
    authorized_balance_cents: account.balance_cents, ...account, status: 'active', main: true,
  }];
  for (const row of seed.supplier_invoices ?? []) putInvoice(store, row);
  for (const row of seed.transactions ?? []) putTransaction(store, row);
  for (const row of seed.beneficiaries ?? []) putBeneficiary(store, row);
}
