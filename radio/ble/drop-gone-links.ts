/**
 * noble queues what it has to say on a connection after it has waited for the controller, and says it without a look whether the
 * connection is still there: of one that ended meanwhile it throws where nobody can catch it, and the process dies.
 */
import type { Noble } from './libraries.js';

interface AclQueue {
  _aclQueue: readonly { readonly handle: number }[];
  readonly _aclConnections: { has(handle: number): boolean };
  flushAcl(): Promise<void>;
}

/** From now on what is queued for connections that are gone is dropped. A noble that is made otherwise is left as it is. */
export function dropPacketsOfGoneLinks(noble: Noble): void {
  const hci: unknown = Reflect.get(Object(Reflect.get(noble, '_bindings')), '_hci');
  if (!isQueue(hci)) return;
  const flush = hci.flushAcl.bind(hci);
  hci.flushAcl = () => {
    hci._aclQueue = hci._aclQueue.filter(({ handle }) => hci._aclConnections.has(handle));
    return flush();
  };
}

const isQueue = (hci: unknown): hci is AclQueue =>
  typeof hci === 'object' &&
  hci !== null &&
  Array.isArray(Reflect.get(hci, '_aclQueue')) &&
  Reflect.get(hci, '_aclConnections') instanceof Map &&
  typeof Reflect.get(hci, 'flushAcl') === 'function';
