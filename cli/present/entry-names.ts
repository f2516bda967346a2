/** What a type of ledger entry is called (protocol.md §10). */
export const ENTRY_NAMES: Readonly<Record<number, string>> = {
  1: 'tag reports',
  2: 'presence reports',
  3: 'gateways enrolled or revoked',
  4: 'day keys published or destroyed',
  5: 'cases opened, changed or closed',
  6: 'looks at traces',
  7: 'identities opened',
  8: 'notices published',
  9: 'credentials issued',
  10: 'days of payloads pruned',
};
