/** Which writer may publish and hear which topics on the broker (protocol.md §9). Pure. */
import { equalBytes } from '../../protocol/bytes.js';
import { partyIdOf } from '../../protocol/keys.js';
import { parseTopic } from '../../protocol/mqtt/topics.js';

/** What to do with a PUBLISH: commit it, let the broker deliver it, or end the connection. */
export type PublishVerdict = 'commit' | 'deliver' | 'refuse';

export interface Publication {
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
}

/**
 * A writer publishes its own entries (QoS 1, so that it learns they arrived; never retained) and its own
 * status; the issuer alone publishes what the authority says, retained. Nothing is published with QoS 2
 * (protocol.md §9): the broker would hold a thousand such messages for each connection that never releases
 * them.
 */
export function publishVerdict(
  { topic, qos, retain }: Publication,
  writerId: Uint8Array,
  issuerPublicKey: Uint8Array,
): PublishVerdict {
  const parsed = parseTopic(topic);
  if (parsed === undefined || qos > 1) return 'refuse';
  if ('writerId' in parsed) {
    if (!equalBytes(parsed.writerId, writerId)) return 'refuse';
    if (parsed.kind === 'entries') return qos === 1 && !retain ? 'commit' : 'refuse';
    return parsed.kind === 'status' ? 'deliver' : 'refuse';
  }
  return retain && equalBytes(writerId, partyIdOf(issuerPublicKey)) ? 'deliver' : 'refuse';
}

/** A writer hears its own receipts and what the authority says. */
export function maySubscribe(topic: string, writerId: Uint8Array): boolean {
  const parsed = parseTopic(topic);
  if (parsed === undefined) return false;
  if (!('writerId' in parsed)) return true;
  return parsed.kind === 'receipts' && equalBytes(parsed.writerId, writerId);
}
