/**
 * When each beacon MAC was first heard (protocol.md §6): one that comes again more than 120 s later is a replay and
 * ignored. A MAC is remembered for an hour, the oldest of more than 65,536 going first; the authority catches what is
 * replayed later still, since the MAC does not fit its minute.
 */
export type HeardMacs = Map<number, number>;

/** So long a beacon counts. */
export const REPLAY_AFTER_MS = 120_000;
const REMEMBER_MS = 3_600_000;
const MAX_MACS = 65_536;

/** Whether a beacon with this MAC is to be counted; remembers it. */
export function isFreshMac(heard: HeardMacs, mac: Uint8Array, atMs: number): boolean {
  const key = numberOf(mac);
  const firstMs = heard.get(key);
  if (firstMs !== undefined) return atMs - firstMs <= REPLAY_AFTER_MS;
  forgetOld(heard, atMs);
  heard.set(key, atMs);
  return true;
}

/** A Map keeps the order of insertion, which is the order of time. */
function forgetOld(heard: HeardMacs, atMs: number): void {
  for (const [key, firstMs] of heard) {
    if (heard.size < MAX_MACS && atMs - firstMs <= REMEMBER_MS) return;
    heard.delete(key);
  }
}

/** Six bytes as a whole number. */
function numberOf(mac: Uint8Array): number {
  let value = 0;
  for (const byte of mac) value = value * 256 + byte;
  return value;
}
