// Supplier invoices: list, one, and the three moves that the API allows.

import { apiError, notFound } from './errors.mjs';
import { selectInvoices } from './invoice-filters.mjs';
import { presentInvoice } from './invoice-shape.mjs';
import { isoDate, page } from './paging.mjs';
import { readText } from './reply.mjs';

const PER_PAGE = 25;
const NOTE_CHARACTERS_MAX = 1000;

/** AFNOR's reasons for refusing an electronic invoice, as far as they are known. */
const DECLINE_REASONS = ['DOUBLON', 'TX_TVA_ERR', 'MONTANTTOTAL_ERR', 'CALCUL_ERR', 'NON_CONFORME',
  'COORD_BANC_ERR', 'AUTRE'];

const PAYABLE = ['to_review', 'to_approve', 'pending', 'awaiting_payment', 'to_pay', 'archived'];
const REJECTABLE = ['to_review', 'to_approve', 'awaiting_payment'];

const show = (call, invoice) =>
  presentInvoice(invoice, call.qonto.store, call.qonto.switches.get('extra_fields'));

function findInvoice(call) {
  const invoice = call.qonto.store.invoices.get(call.params.id);
  if (!invoice) throw notFound('Supplier invoice');
  return invoice;
}

export function listInvoices(call) {
  const { store, switches, clock } = call.qonto;
  const hits = selectInvoices(store.invoices.values(), call.query, { now: clock.now(), switches });
  const rules = { perPage: PER_PAGE, pastEnd: switches.get('past_end') };
  const { items, meta } = page(hits, call.query, rules);
  return { body: { supplier_invoices: items.map((invoice) => show(call, invoice)), meta } };
}

export function getInvoice(call) {
  return { body: { supplier_invoice: show(call, findInvoice(call)) } };
}

/** The object under "supplier_invoice" of a JSON body. */
async function readFields(call) {
  try {
    const body = JSON.parse((await readText(call.req)) ?? '');
    if (typeof body.supplier_invoice === 'object' && body.supplier_invoice) {
      return body.supplier_invoice;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw apiError(400, 'bad_request', 'Request body is not valid', { pointer: '/supplier_invoice' });
}

const cannotMove = (invoice, to) => apiError(400, 'invalid_status',
  `A supplier invoice that is ${invoice.status} cannot become ${to}`, { pointer: '/status' });

export async function markAsPaid(call) {
  const invoice = findInvoice(call);
  const { payment_date: date } = await readFields(call);
  const pointer = '/supplier_invoice/payment_date';
  const isDate = /^\d{4}-\d\d-\d\d$/.test(date ?? '') && !Number.isNaN(Date.parse(date));
  if (!isDate) throw apiError(400, 'invalid', 'payment_date is not a valid date', { pointer });
  if (date > isoDate(call.qonto.clock.now())) {
    throw apiError(400, 'invalid', 'payment_date must not be in the future', { pointer });
  }
  if (invoice.status === 'paid') return { body: show(call, invoice) };
  if (!PAYABLE.includes(invoice.status)) throw cannotMove(invoice, 'paid');
  call.qonto.store.changeInvoice(invoice, { status: 'paid', payment_date: date });
  return { body: show(call, invoice) };
}

export function unmarkAsPaid(call) {
  const invoice = findInvoice(call);
  if (invoice.status !== 'paid') throw cannotMove(invoice, 'to_review');
  call.qonto.store.changeInvoice(invoice, { status: 'to_review', payment_date: null });
  return { body: show(call, invoice) };
}

export async function reject(call) {
  const invoice = findInvoice(call);
  const { declined_note: note = '', declined_reason_code: reason } = await readFields(call);
  if (typeof note !== 'string' || note.length > NOTE_CHARACTERS_MAX) {
    throw apiError(400, 'invalid', 'declined_note is not valid',
      { pointer: '/supplier_invoice/declined_note' });
  }
  const needsReason = invoice.is_einvoice
    && call.qonto.store.organization.legal_country === 'FR';
  if (needsReason && !DECLINE_REASONS.includes(reason)) {
    throw apiError(422, 'invalid', 'declined_reason_code is required for electronic invoices',
      { pointer: '/supplier_invoice/declined_reason_code' });
  }
  if (!REJECTABLE.includes(invoice.status)) throw cannotMove(invoice, 'rejected');
  call.qonto.store.changeInvoice(invoice, { status: 'rejected', declined_note: note });
  return { body: show(call, invoice) };
}
