/** What the ledger says of its connection to the broker of somebody else. */
import { expect, it } from 'vitest';
import { ConnectionState } from '../../ledger/broker/connection-state.js';

it('a connection is there or away since it came or was lost, whatever tries failed meanwhile', () => {
  let nowMs = 1000;
  const state = new ConnectionState(() => nowMs);
  const at = (ms: number, change: () => void) => {
    nowMs = ms;
    change();
    return [state.isConnected, state.sinceMs, state.failure];
  };
  expect(at(2000, () => state.failed('refused'))).toEqual([false, 1000, 'refused']);
  expect(at(3000, () => state.connected())).toEqual([true, 3000, undefined]);
  expect(at(4000, () => state.connected())).toEqual([true, 3000, undefined]);
  expect(at(5000, () => state.lost())).toEqual([false, 5000, 'the connection was lost']);
  expect(at(6000, () => state.failed('no route'))).toEqual([false, 5000, 'no route']);
  expect(at(7000, () => state.lost())).toEqual([false, 5000, 'no route']);
});
