// POST /v2/supplier_invoices/bulk: files and idempotency keys in pairs, and an answer of 200 that
// carries the failures of single invoices beside the successes.

import { rm } from 'node:fs/promises';
import { apiError } from './errors.mjs';
import { presentInvoice } from './invoice-shape.mjs';
import { readMultipart } from './multipart.mjs';

export const FILE_BYTES_MAX = 10_000_000;

const SOURCES = ['pay_by_invoice', 'supplier_invoices', 'integration', 'transaction_attachment',
  'generic_upload'];
const ELEMENT = /^supplier_invoices\[\]\[(file|idempotency_key|attachment_id)\]$/;

/**
 * Rack's rule for repeated names: a part goes into the last element, unless that one has a part of
 * this name already; then it opens a new one.
 * @param {object[]} parts
 */
export function pair(parts) {
  const elements = [];
  for (const part of parts) {
    const key = ELEMENT.exec(part.name)?.[1];
    if (!key) continue;
    const value = part.kind === 'field' ? part.value : part;
    const last = elements.at(-1);
    if (last && !(key in last)) last[key] = value;
    else elements.push({ [key]: value });
  }
  return elements;
}

const required = (detail, pointer) => apiError(400, 'required', detail, { pointer });

/** What makes the whole request fail. */
function checkElements(elements, invoicesMax) {
  if (!elements.length) {
    throw required('Supplier invoices are required', '/supplier_invoices');
  }
  if (elements.length > invoicesMax) {
    throw apiError(400, 'limit_reached', `Limit of ${invoicesMax} invoices reached`,
      { pointer: '/supplier_invoices' });
  }
  for (const element of elements) {
    const { file, attachment_id: id, idempotency_key: key } = element;
    if (typeof key !== 'string' || !key.trim()) {
      throw required('Idempotency key is required', '/idempotency_key');
    }
    if (!id && (typeof file !== 'object' || file === null)) {
      throw required('File is required', '/file');
    }
    if (id && file) {
      throw apiError(400, 'invalid', 'Either a file or an attachment is allowed, not both',
        { pointer: '/file' });
    }
  }
}

/** The optional parts that hold for the whole batch. */
function batchFields(parts) {
  const fields = parts.filter((part) => part.kind === 'field');
  const field = (name) => fields.findLast((part) => part.name === name)?.value;
  const source = field('source') ?? 'generic_upload';
  if (!SOURCES.includes(source)) {
    throw apiError(400, 'not_in_list', `source must be one of: ${SOURCES.join(', ')}`,
      { pointer: '/source' });
  }
  return { source, meta: readMeta(field('meta')) };
}

function readMeta(text) {
  if (text === undefined) return {};
  try {
    const { integration_type, connector } = JSON.parse(text);
    return { integration_type, connector };
  } catch {
    throw apiError(400, 'invalid', 'meta is not valid JSON', { pointer: '/meta' });
  }
}

/** The two item errors in the form that the switch asks for. */
function itemError(code, key, form) {
  const pointer = `/supplier_invoices/idempotency_key/${key}`;
  if (code === 'invalid') {
    const source = { pointer: `${pointer}/file` };
    const detail = 'File is too large or wrong content type';
    return { code, detail, source: form === 'array' ? [source] : source };
  }
  return { code, details: 'Processing file has failed', source: [{ pointer }] };
}

/**
 * The fault "errors_200": `code` (internal_server_error), `items` (positions; all without),
 * `executed: true` to create the invoice all the same.
 */
function injected(call, index) {
  const params = call.req.bulkErrors;
  if (!params || (params.items && !params.items.includes(index))) return null;
  return { code: params.code ?? 'internal_server_error', executed: params.executed === true };
}

function attachmentOf(element, store) {
  const { file, attachment_id: id } = element;
  if (id) return store.attachments.get(id) ?? null;
  if (file.content_type === null || file.bytes > FILE_BYTES_MAX) return null;
  const { file_name, content_type, bytes, sha256, path } = file;
  return store.addAttachment({ file_name, content_type, bytes, sha256, path });
}

/** One element: the invoice of its key, made now or before; null when its file is refused. */
function createOne(call, element, batch) {
  const { store, bulkKeys, switches } = call.qonto;
  const key = element.idempotency_key.trim();
  const before = bulkKeys.get(key, switches.get('bulk_key_s'));
  if (before) return before;
  const attachment = attachmentOf(element, store);
  if (!attachment) return null;
  const invoice = store.addInvoice(attachment,
    { ...batch, idempotency_key: key, request_id: call.trace_id });
  bulkKeys.put(key, invoice);
  return invoice;
}

function createAll(call, elements, batch) {
  const { store, switches } = call.qonto;
  const form = switches.get('bulk_error_source');
  const invoices = [];
  const errors = [];
  for (const [index, element] of elements.entries()) {
    const fault = injected(call, index);
    const invoice = fault && !fault.executed ? null : createOne(call, element, batch);
    const code = fault?.code ?? (invoice ? null : 'invalid');
    if (code) errors.push(itemError(code, element.idempotency_key.trim(), form));
    else invoices.push(invoice);
  }
  const extra = switches.get('extra_fields');
  return {
    supplier_invoices: invoices.map((invoice) => presentInvoice(invoice, store, extra)), errors,
  };
}

/** Uploads that no attachment came to own. */
async function discard(parts, store) {
  const owned = new Set([...store.attachments.values()].map((attachment) => attachment.path));
  const left = parts.filter((part) => part.kind === 'file' && !owned.has(part.path));
  await Promise.all(left.map((part) => rm(part.path, { force: true })));
}

export async function bulkCreate(call) {
  const { store, switches } = call.qonto;
  const parts = await readMultipart(call.req, store.uploads());
  try {
    const elements = pair(parts);
    checkElements(elements, switches.get('bulk_invoices_max'));
    return { body: createAll(call, elements, batchFields(parts)) };
  } finally {
    await discard(parts, store);
  }
}
