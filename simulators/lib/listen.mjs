// Listeners on the loopback interface that can be closed at once, open streams included.

import http from 'node:http';
import https from 'node:https';

/** Long: an idle connection that closes under a request would be a fault that nobody asked for. */
const KEEP_ALIVE_MS = 300_000;

/**
 * @param {object} options
 * @param {import('node:http').RequestListener} options.handler
 * @param {number} [options.port] 0 takes a free one
 * @param {object} [options.tls] the `options` of ensureAuthority; plain HTTP without
 * @returns {Promise<{url: string, port: number, close: () => Promise<void>}>} url has no slash
 *   at the end and names `localhost` under TLS, 127.0.0.1 otherwise
 */
export async function listen({ handler, port = 0, tls }) {
  const server = tls ? https.createServer(tls, handler) : http.createServer(handler);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const bound = server.address().port;
  return {
    url: tls ? `https://localhost:${bound}` : `http://127.0.0.1:${bound}`,
    port: bound,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
