// Attachments: files by themselves, and files on transactions.

import { rm } from 'node:fs/promises';
import { apiError, notFound } from './errors.mjs';
import { readMultipart } from './multipart.mjs';
import { isoTime, page } from './paging.mjs';
import { presignedUrl } from './storage.mjs';

const PER_PAGE = 100;
const PER_TRANSACTION_MAX = 5;
const IDEMPOTENCY_HEADER = 'x-qonto-idempotency-key';

/** @param {object} call @param {import('./store.mjs').Attachment} attachment */
export function presentAttachment(call, attachment) {
  return {
    id: attachment.id, created_at: isoTime(attachment.created_ms),
    file_name: attachment.file_name, file_size: String(attachment.bytes),
    file_content_type: attachment.content_type, url: presignedUrl(call.qonto, attachment),
    probative_attachment: { status: 'unavailable' },
  };
}

export function getAttachment(call) {
  const attachment = call.qonto.store.attachments.get(call.params.id);
  if (!attachment) throw notFound('Attachment');
  return { body: { attachment: presentAttachment(call, attachment) } };
}

/** The one part `file` of a body, taken over as an attachment. */
async function readFile(call) {
  const { store } = call.qonto;
  const parts = await readMultipart(call.req, store.uploads());
  const files = parts.filter((part) => part.kind === 'file');
  const file = files.find((part) => part.name === 'file');
  const others = files.filter((part) => part !== file || part.content_type === null);
  await Promise.all(others.map((part) => rm(part.path, { force: true })));
  if (!file) {
    throw apiError(400, 'missing_file', 'The request is missing a file parameter',
      { pointer: '/file' });
  }
  if (file.content_type === null) {
    throw apiError(400, 'invalid_file_type', 'Invalid file type', { pointer: '/file' });
  }
  const { file_name, content_type, bytes, sha256, path } = file;
  return store.addAttachment({ file_name, content_type, bytes, sha256, path });
}

/** A body that is too large has a name of its own here. */
function tooBig(error) {
  const isTooLarge = error.body?.[0]?.detail === 'Request is too large';
  if (!isTooLarge) return error;
  return apiError(400, 'file_too_big', 'File is too big', { pointer: '/file' });
}

/** Run `act` once per key; a repeated key gets the first answer, whatever its body says. */
async function once(call, act) {
  const key = call.req.headers[IDEMPOTENCY_HEADER];
  if (!key) {
    throw apiError(400, 'missing_key', 'X-Qonto-Idempotency-Key header is missing');
  }
  const scoped = `${call.operation} ${call.params.id ?? ''} ${key}`;
  const before = call.qonto.headerKeys.get(scoped);
  if (before) {
    call.req.resume();
    return before;
  }
  const attachment = await readFile(call).catch((error) => { throw tooBig(error); });
  const meanwhile = call.qonto.headerKeys.get(scoped);
  if (meanwhile) return meanwhile;
  const answer = act(attachment);
  call.qonto.headerKeys.put(scoped, answer);
  return answer;
}

export function createAttachment(call) {
  return once(call, (attachment) => ({ body: { attachment: { id: attachment.id } } }));
}

function findTransaction(call) {
  const transaction = call.qonto.store.transactions.get(call.params.id);
  if (!transaction) throw notFound('Transaction');
  return transaction;
}

export function listTransactionAttachments(call) {
  const { store, switches } = call.qonto;
  const all = findTransaction(call).attachment_ids.map((id) => store.attachments.get(id));
  const rules = { perPage: PER_PAGE, pastEnd: switches.get('past_end') };
  const { items, meta } = page(all, call.query, rules);
  return { body: { attachments: items.map((item) => presentAttachment(call, item)), meta } };
}

export function createTransactionAttachment(call) {
  const { store, switches, clock } = call.qonto;
  const transaction = findTransaction(call);
  const onTheWay = store.travelling.filter((file) => file.transaction === transaction).length;
  if (transaction.attachment_ids.length + onTheWay >= PER_TRANSACTION_MAX) {
    throw apiError(400, 'limit_reached', `Limit of ${PER_TRANSACTION_MAX} attachments reached`);
  }
  return once(call, (attachment) => {
    const due = clock.now() + switches.get('transaction_attachment_delay_s') * 1000;
    store.travelling.push({ transaction, attachment_id: attachment.id, due_ms: due });
    return {};
  });
}

function drop(call, ids) {
  const transaction = findTransaction(call);
  transaction.attachment_ids = transaction.attachment_ids.filter((id) => !ids.includes(id));
  transaction.updated_ms = call.qonto.clock.now();
  return {};
}

export function deleteTransactionAttachments(call) {
  return drop(call, findTransaction(call).attachment_ids);
}

export function deleteTransactionAttachment(call) {
  const id = call.params.attachment_id;
  if (!findTransaction(call).attachment_ids.includes(id)) throw notFound('Attachment');
  return drop(call, [id]);
}
