// The provider's own routes of the control API, under /control/qonto.

import { createReadStream } from 'node:fs';
import { Router } from 'express';
import { presentInvoice } from './invoice-shape.mjs';
import { putBeneficiary, putInvoice, putTransaction } from './seed.mjs';

const listOf = (body) => (Array.isArray(body) ? body : [body]);

const noUnknown = (body, allowed) => {
  const unknown = Object.keys(body ?? {}).filter((key) => !allowed.includes(key));
  if (unknown.length) throw new TypeError(`unknown: ${unknown.join(', ')}`);
};

/** An invoice as the API shows it, with what only the simulator knows. */
function tell(qonto, invoice) {
  const { sha256, bytes, content_type: contentType } = qonto.store.attachments
    .get(invoice.attachment_id);
  return {
    ...presentInvoice(invoice, qonto.store, false),
    sha256, bytes, content_type: contentType, idempotency_key: invoice.idempotency_key,
    request_id: invoice.request_id, origin: invoice.request_id === null ? 'seed' : 'api',
  };
}

function count(qonto) {
  const { store, grants } = qonto;
  const uploaded = [...store.invoices.values()].filter((invoice) => invoice.request_id !== null);
  const distinct = (read) => new Set(uploaded.map(read)).size;
  return {
    invoices: store.invoices.size, invoices_from_api: uploaded.length,
    distinct_documents: distinct(({ attachment_id: id }) => store.attachments.get(id).sha256),
    distinct_file_names: distinct((invoice) => invoice.file_name),
    distinct_keys: distinct((invoice) => invoice.idempotency_key),
    not_analysed: store.unanalysed.size, transactions: store.transactions.size,
    attachments: store.attachments.size, grants: grants.living(),
  };
}

function sendUpload(qonto, req, res) {
  const { store } = qonto;
  const id = store.invoices.get(req.params.id)?.attachment_id ?? req.params.id;
  const attachment = store.attachments.get(id);
  if (!attachment) return res.status(404).json({ error: 'no such upload' });
  res.type(attachment.content_type);
  return attachment.content ? res.send(attachment.content)
    : createReadStream(attachment.path).pipe(res);
}

function changeClient({ client }, body) {
  noUnknown(body, ['redirect_uris', 'scopes']);
  for (const list of Object.values(body)) {
    if (!Array.isArray(list) || list.some((value) => typeof value !== 'string')) {
      throw new TypeError('lists of texts are needed');
    }
  }
  Object.assign(client, body);
  return { redirect_uris: client.redirect_uris, scopes: client.scopes };
}

/** @param {object} qonto @returns {{router: import('express').Router, counts: () => object}} */
export function createQontoControl(qonto) {
  const { store, switches, grants, limits } = qonto;
  const router = Router();
  const settled = (handler) => async (req, res) => {
    await store.settle();
    return handler(req, res);
  };
  router.get('/counts', settled((req, res) => res.json(count(qonto))));
  router.get('/invoices', settled((req, res) => {
    const all = [...store.invoices.values()].map((invoice) => tell(qonto, invoice));
    const { origin } = req.query;
    res.json({ invoices: origin ? all.filter((row) => row.origin === origin) : all });
  }));
  router.post('/invoices', (req, res) => {
    const made = listOf(req.body).map((row) => putInvoice(store, row));
    res.status(201).json({ invoices: made.map((invoice) => tell(qonto, invoice)) });
  });
  router.post('/transactions', (req, res) => {
    const made = listOf(req.body).map((row) => putTransaction(store, row));
    res.status(201).json({ transactions: made.map(({ id, status }) => ({ id, status })) });
  });
  router.post('/beneficiaries', (req, res) => {
    const made = listOf(req.body).map((row) => putBeneficiary(store, row));
    res.status(201).json({ beneficiaries: made });
  });
  router.get('/transactions', settled((req, res) => {
    res.json({ transactions: [...store.transactions.values()] });
  }));
  router.get('/uploads/:id', (req, res) => sendUpload(qonto, req, res));
  router.get('/switches', (req, res) => res.json(switches.all()));
  router.post('/switches', (req, res) => {
    switches.set(req.body ?? {});
    res.json(switches.all());
  });
  router.post('/client', (req, res) => res.json(changeClient(qonto, req.body ?? {})));
  router.post('/expire_access_tokens', (req, res) => res.json({ expired: grants.expireAccess() }));
  router.post('/kill_grants', (req, res) => res.json({ ended: grants.killAll() }));
  router.post('/clear_limits', (req, res) => {
    limits.clear();
    res.json({});
  });
  return { router, counts: () => count(qonto) };
}
