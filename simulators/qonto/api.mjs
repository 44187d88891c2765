// The REST API: a table of routes that says who may call each, and the guard in front of them.

import {
  createAttachment, createTransactionAttachment, deleteTransactionAttachment,
  deleteTransactionAttachments, getAttachment, listTransactionAttachments,
} from './attachments.mjs';
import { getBeneficiary, listBeneficiaries } from './beneficiaries.mjs';
import { bulkCreate } from './bulk.mjs';
import { sameSecret } from './client.mjs';
import {
  ApiError, apiError, authorizationMissing, forbidden, planForbids, scopeMissing, tooManyRequests,
  unauthorized,
} from './errors.mjs';
import { getInvoice, listInvoices, markAsPaid, reject, unmarkAsPaid } from './invoices.mjs';
import {
  deleteConsents, getBankAccount, getOrganization, listBankAccounts,
} from './organization.mjs';
import { passesGate, send, sendGatePage, sendJson } from './reply.mjs';
import { getTransaction, listTransactions } from './transactions.mjs';

const INVOICES = '/v2/supplier_invoices';
const BENEFICIARIES = '/v2/sepa/beneficiaries';
const TRANSACTION = '/v2/transactions/:id';

/**
 * Method, path, name of the operation, scope, handler. `oauth`: no API key. `paid_plan`: not on the
 * smallest plan. A scope that starts with @ is the value of that switch.
 */
const ROUTES = [
  ['GET', '/v2/organization', 'organization.get', 'organization.read', getOrganization],
  ['GET', '/v2/bank_accounts', 'bank_accounts.list', 'organization.read', listBankAccounts],
  ['GET', '/v2/bank_accounts/:id', 'bank_accounts.get', 'organization.read', getBankAccount],
  ['GET', BENEFICIARIES, 'beneficiaries.list', 'organization.read', listBeneficiaries],
  ['GET', `${BENEFICIARIES}/:id`, 'beneficiaries.get', 'organization.read', getBeneficiary],
  ['GET', '/v2/transactions', 'transactions.list', 'organization.read', listTransactions],
  ['GET', TRANSACTION, 'transactions.get', 'organization.read', getTransaction],
  ['GET', `${TRANSACTION}/attachments`, 'transaction_attachments.list', '@attachment_scope',
    listTransactionAttachments],
  ['POST', `${TRANSACTION}/attachments`, 'transaction_attachments.create', 'attachment.write',
    createTransactionAttachment],
  ['DELETE', `${TRANSACTION}/attachments`, 'transaction_attachments.delete_all', 'attachment.write',
    deleteTransactionAttachments],
  ['DELETE', `${TRANSACTION}/attachments/:attachment_id`, 'transaction_attachments.delete',
    'attachment.write', deleteTransactionAttachment],
  ['POST', '/v2/attachments', 'attachments.create', 'attachment.write', createAttachment],
  ['GET', '/v2/attachments/:id', 'attachments.get', '@attachment_scope', getAttachment],
  ['POST', `${INVOICES}/bulk`, 'supplier_invoices.bulk', 'supplier_invoice.write', bulkCreate],
  ['GET', INVOICES, 'supplier_invoices.list', 'supplier_invoice.read', listInvoices, 'paid_plan'],
  ['GET', `${INVOICES}/:id`, 'supplier_invoices.get', 'supplier_invoice.read', getInvoice,
    'paid_plan'],
  ['POST', `${INVOICES}/:id/mark_as_paid`, 'supplier_invoices.mark_as_paid',
    'supplier_invoice.write', markAsPaid],
  ['POST', `${INVOICES}/:id/unmark_as_paid`, 'supplier_invoices.unmark_as_paid',
    'supplier_invoice.write', unmarkAsPaid],
  ['POST', `${INVOICES}/:id/reject`, 'supplier_invoices.reject', 'supplier_invoice.write', reject],
  ['DELETE', '/v2/oauth2/consents', 'consents.delete', 'organization.read', deleteConsents,
    'oauth'],
].map(([method, path, operation, scope, handler, ...marks]) => ({
  method, operation, scope, handler, marks, segments: path.split('/'),
}));

function paramsOf(route, segments) {
  if (route.segments.length !== segments.length) return null;
  const params = {};
  for (const [index, wanted] of route.segments.entries()) {
    if (wanted.startsWith(':')) params[wanted.slice(1)] = segments[index];
    else if (wanted !== segments[index]) return null;
  }
  return params;
}

/** @param {string} method @param {string} path @returns the route and its parameters, or null */
export function findRoute(method, path) {
  const segments = path.split('/');
  for (const route of ROUTES) {
    const params = route.method === method ? paramsOf(route, segments) : null;
    if (params) return { route, params };
  }
  return null;
}

/** @returns {{kind: 'key'}|{kind: 'oauth', grant: object}} */
function authenticate(req, qonto) {
  const header = req.headers.authorization;
  if (header === undefined) throw authorizationMissing();
  const bearer = /^Bearer (\S+)$/i.exec(header)?.[1];
  if (bearer === undefined) {
    const { login, secret } = qonto.api_key;
    if (sameSecret(header, `${login}:${secret}`)) return { kind: 'key' };
    throw unauthorized();
  }
  const grant = qonto.grants.find(bearer);
  if (!grant) throw unauthorized();
  return { kind: 'oauth', grant };
}

function authorise({ route, principal, qonto }) {
  const { switches } = qonto;
  if (principal.kind === 'key' && route.marks.includes('oauth')) {
    throw forbidden('This endpoint is not available with an API key');
  }
  const scope = route.scope.startsWith('@') ? switches.get(route.scope.slice(1)) : route.scope;
  if (principal.kind === 'oauth' && !principal.grant.scopes.includes(scope)) {
    throw scopeMissing(scope);
  }
  if (route.marks.includes('paid_plan') && switches.get('plan') === 'solo_basic') {
    throw planForbids();
  }
}

async function answer(req, url, qonto) {
  const found = findRoute(req.method, url.pathname);
  if (!found) throw apiError(404, 'not_found', 'The requested resource does not exist');
  const { route, params } = found;
  const principal = authenticate(req, qonto);
  authorise({ route, principal, qonto });
  await qonto.store.settle();
  return route.handler({
    req, params, principal, qonto, query: url.searchParams, operation: route.operation,
    trace_id: req.trace_id,
  });
}

function sendError(req, res, error, qonto) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 401) qonto.limits.unauthorized(req.socket.remoteAddress);
  if (typeof error.body === 'string') {
    return send(res, error.status, error.body, { 'Content-Type': 'text/plain', ...error.headers });
  }
  return sendJson(res, error.status, { errors: error.body, trace_id: req.trace_id }, error.headers);
}

/** @param {object} qonto @returns the handler of the API listener; `req.trace_id` is set before */
export function createApi(qonto) {
  return async (req, res) => {
    if (!passesGate(req, qonto)) return sendGatePage(res);
    try {
      const waitS = qonto.limits.request(req.socket.remoteAddress);
      if (waitS !== null) {
        throw tooManyRequests(qonto.switches.get('rate_limit_retry_after') ? waitS : null);
      }
      const url = new URL(req.url, 'https://api.invalid');
      const { status = 200, body } = await answer(req, url, qonto);
      return body === undefined ? send(res, status, '', {}) : sendJson(res, status, body);
    } catch (error) {
      return sendError(req, res, error, qonto);
    }
  };
}
