// How a supplier invoice looks from outside: the fields of the documents of 2026.

import { isoTime } from './paging.mjs';

const UNKNOWN_CATEGORY = 'UTILITY_BILL';
/** One invoice in this many carries a category that no document lists. */
const UNKNOWN_CATEGORY_EVERY = 16;

const PAYABLE = ['to_review', 'to_approve', 'to_pay', 'pending', 'awaiting_payment'];
const ARCHIVABLE = ['to_review', 'to_approve', 'awaiting_payment', 'paid'];

/** `2026-01-31T11:00:00+01:00`: mail-in documents carry an offset, the others `Z`. */
function stamp(invoice, ms) {
  if (ms === null) return null;
  if (invoice.source_type !== 'email') return isoTime(ms);
  return `${isoTime(ms + 3_600_000).slice(0, 19)}+01:00`;
}

function category(invoice, extraFields) {
  const drawn = Number.parseInt(invoice.id.slice(0, 8), 16) % UNKNOWN_CATEGORY_EVERY;
  if (extraFields && drawn === 0) return UNKNOWN_CATEGORY;
  if (invoice.analyzed_ms === null) return 'UNKNOWN';
  return invoice.is_credit_note ? 'CREDIT_NOTE' : 'INVOICE';
}

function availableActions(invoice) {
  const isPayable = PAYABLE.includes(invoice.status);
  const isArchivable = ARCHIVABLE.includes(invoice.status);
  const pay = [
    ...(invoice.is_credit_note ? ['is_credit_note'] : []),
    ...(invoice.iban === null ? ['missing_iban'] : []),
    ...(invoice.total_amount === null ? ['missing_data'] : []),
    ...(isPayable ? [] : ['invalid_status']),
  ];
  const isDeletable = invoice.status === 'to_review';
  return {
    delete: isDeletable, archive: isArchivable, unarchive: invoice.status === 'archived',
    pay: pay.length === 0,
    reasons: {
      pay, delete: isDeletable ? [] : ['invalid_status'],
      archive: isArchivable ? [] : ['invalid_status'],
      unarchive: invoice.status === 'archived' ? [] : ['invalid_status'],
    },
  };
}

function analysed(invoice) {
  const amount = invoice.total_amount;
  return {
    invoice_number: invoice.invoice_number, supplier_name: invoice.supplier_name,
    issuer_name: invoice.supplier_name, supplier_id: null, vat_number: invoice.vat_number,
    description: invoice.description, iban: invoice.iban, total_amount: amount,
    total_amount_excluding_taxes: null, total_tax_amount: null, taxes: [],
    payable_amount: invoice.is_credit_note ? null : amount, total_amount_credit_notes: null,
    issue_date: invoice.issue_date, due_date: invoice.due_date,
    payment_date: invoice.payment_date, scheduled_date: invoice.scheduled_date,
    analyzed_at: stamp(invoice, invoice.analyzed_ms),
  };
}

/**
 * @param {import('./store.mjs').Invoice} invoice
 * @param {{organization: {id: string}}} store
 * @param {boolean} extraFields also what no document mentions
 */
export function presentInvoice(invoice, store, extraFields) {
  return {
    id: invoice.id, organization_id: store.organization.id, status: invoice.status,
    source_type: invoice.source_type, source: invoice.source,
    attachment_id: invoice.attachment_id, display_attachment_id: invoice.attachment_id,
    file_name: invoice.file_name, is_einvoice: invoice.is_einvoice, has_discrepancies: false,
    created_at: stamp(invoice, invoice.created_ms), updated_at: stamp(invoice, invoice.updated_ms),
    ...analysed(invoice),
    has_duplicates: invoice.has_duplicates, is_credit_note: invoice.is_credit_note,
    has_suggested_credit_notes: false, is_attachment_invoice: invoice.analyzed_ms !== null,
    is_attachment_non_financial: false, attachment_category: category(invoice, extraFields),
    initiator_id: invoice.initiator_id, self_invoice_id: null, request_transfer: null,
    transfer_ids: [], matched_transactions: [], matched_transactions_ids: [],
    suggested_transactions: [], related_invoices: [], supplier_snapshot: null,
    meta: invoice.meta, declined_note: invoice.declined_note, e_invoice_type: null,
    einvoicing_lifecycle_events: [], available_actions: availableActions(invoice),
    approval_workflow: {
      approver_ids: [], supplier_invoice_request_id: null, verified_by: null,
      last_approved_by: null,
    },
    ...(extraFields && { folder_hint: null, review_lane: { name: 'standard', position: 1 } }),
  };
}
