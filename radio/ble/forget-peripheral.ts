/**
 * noble keeps every peripheral it ever saw, in several tables and for good. We hand it only those we connect to, and take
 * them out again when the connection is over. The tables are noble's own business, so one that is missing is left alone.
 */
import type { Noble } from './libraries.js';

const NOBLE_TABLES = [
  '_peripherals',
  '_services',
  '_characteristics',
  '_descriptors',
  '_discoveredPeripheralUUids',
];
const BINDINGS_TABLES = ['_addresses', '_addresseTypes', '_connectable', 'scannable'];

/** `id`: the address without separators, as noble has it. */
export function forgetPeripheral(noble: Noble, id: string): void {
  const bindings = field(noble, '_bindings');
  const gap = field(bindings, '_gap');
  for (const table of NOBLE_TABLES) drop(field(noble, table), id);
  for (const table of BINDINGS_TABLES) drop(field(bindings, table), id);
  drop(field(gap, '_discoveries'), id.replace(/..(?!$)/g, '$&:'));
}

function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

function drop(table: unknown, key: string): void {
  if (table instanceof Map) table.delete(key);
  else if (typeof table === 'object' && table !== null) Reflect.deleteProperty(table, key);
}
