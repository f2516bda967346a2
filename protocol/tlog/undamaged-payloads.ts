/** Reading payloads of which some are damaged where the ledger stores them: the others come all the same. */
import { FirebreakError } from '../errors.js';
import type { FoundPayload, LedgerReader } from './ledger-reader.js';

export interface UndamagedPayloads {
  /** In the order asked; `undefined` for one that is damaged, too. */
  readonly payloads: readonly FoundPayload[];
  /** Places of the damaged ones among those asked for, ascending. */
  readonly damaged: readonly number[];
}

/** As {@link LedgerReader.payloads}, at most 256. Throws what that throws, but no `damaged-payload`. */
export async function undamagedPayloads(
  reader: Pick<LedgerReader, 'payloads'>,
  hashes: readonly Uint8Array[],
): Promise<UndamagedPayloads> {
  try {
    return { payloads: await reader.payloads(hashes), damaged: [] };
  } catch (error) {
    if (!(error instanceof FirebreakError && error.code === 'damaged-payload')) throw error;
  }
  if (hashes.length <= 1) return { payloads: hashes.map(() => undefined), damaged: [...hashes.keys()] };
  // One that is damaged keeps all that are asked for with it from being read: halved until it is alone.
  const half = hashes.length >> 1;
  const first = await undamagedPayloads(reader, hashes.slice(0, half));
  const rest = await undamagedPayloads(reader, hashes.slice(half));
  return {
    payloads: [...first.payloads, ...rest.payloads],
    damaged: [...first.damaged, ...rest.damaged.map((place) => half + place)],
  };
}
