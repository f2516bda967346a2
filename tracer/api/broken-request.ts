/** What comes that is not even HTTP, or does not come, or expects what nobody does: answered in a line, and the connection ends. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RefusalCode } from './refusal-codes.js';

const ANSWERS: Readonly<Record<string, readonly [status: string, code: RefusalCode, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'size', 'the headers are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'timeout', 'the request did not come in time'],
};
const NO_HTTP = ['400 Bad Request', 'format', 'this is not a request in HTTP'] as const;

export function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, code, message] = ANSWERS[error.code ?? ''] ?? NO_HTTP;
  const { body, headers } = refusalOf(code, message);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(`${[`HTTP/1.1 ${status}`, ...lines].join('\r\n')}\r\n\r\n${body}`);
}

/** `Expect` with anything but 100-continue, which Node takes before any route is found. */
export function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const { body, headers } = refusalOf('format', 'what this request expects is not done here');
  response.writeHead(417, headers).end(body);
}

function refusalOf(code: RefusalCode, message: string) {
  const body = JSON.stringify({ code, message });
  const headers = {
    connection: 'close',
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(body),
  };
  return { body, headers };
}
