/**
 * A gateway's certificate must hold, and not be revoked, at the time the entry was received by it. Never at the
 * ledger's own time: a gateway that was offline delivers later what it took in while it was certified (protocol.md §8).
 */
import type { Refusal } from '../../protocol/errors.js';
import { certifiedAt } from '../store/gateway-record.js';
import type { Writer } from './writer.js';

export function certificateRule(timeMs: number, { gateway }: Writer): Refusal | undefined {
  return gateway === undefined || certifiedAt(gateway, timeMs) ? undefined : 'certificate';
}
