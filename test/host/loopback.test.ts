/** What may go in plain text: to this host, and to no other. */
import { expect, it } from 'vitest';
import { isLoopback, isTlsOrThisHost } from '../../host/loopback.js';

it.each(['localhost', '127.0.0.1', '127.8.9.10', '::1', '[::1]'])('%s is this host', (host) => {
  expect(isLoopback(host)).toBe(true);
});

it.each(['', 'localhost.example.org', '127.0.0.1.example.org', '1127.0.0.1', '0.0.0.0', '::', '10.0.0.1'])(
  '%j is another',
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);

it.each([
  ['https://ledger.example.org', true],
  ['mqtts://ledger.example.org', true],
  ['wss://ledger.example.org', true],
  ['http://[::1]:8080', true],
  ['mqtt://localhost', true],
  ['http://ledger.example.org', false],
  ['mqtt://ledger.example.org', false],
  ['ws://ledger.example.org', false],
  ['http://127.0.0.1.example.org', false],
])('%s hides what is said: %s', (url, isHidden) => {
  expect(isTlsOrThisHost(new URL(url))).toBe(isHidden);
});
