// The failures of the API in the shapes that were documented or observed.

/** An answer that ends a call early: thrown by handlers, written at the edge. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {object[]|string} body the items of `errors`, or a plain text
   * @param {Record<string, string>} [headers]
   */
  constructor(status, body, headers = {}) {
    super(`${status} ${JSON.stringify(body)}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/**
 * @param {number} status
 * @param {string} code
 * @param {string} detail
 * @param {object} [source]
 */
export function apiError(status, code, detail, source) {
  return new ApiError(status, [{ code, detail, ...(source && { source }) }]);
}

export const authorizationMissing = () =>
  apiError(400, 'bad_request', 'Authorization field missing');

export const unauthorized = () => apiError(401, 'unauthorized', 'Invalid credentials');

export const forbidden = (detail = 'User does not have sufficient permissions for this action.') =>
  apiError(403, 'forbidden', detail);

export const scopeMissing = (scope) =>
  forbidden(`The access token is missing required oauth scope ${scope}`);

export const planForbids = () =>
  forbidden('User does not have sufficient permissions for this action due to pricing plan');

export const notFound = (what) =>
  apiError(404, 'not_found', `${what} not found`, { parameter: 'id' });

/** An unknown transaction: a body of one space, as text. */
export const transactionNotFound = () => new ApiError(404, ' ');

export const tooManyRequests = (retryAfterS) => new ApiError(
  429,
  [{ code: 'too_many_requests', detail: 'Rate limit exceeded' }],
  retryAfterS === null ? {} : { 'Retry-After': String(retryAfterS) },
);
