/** What the gateways are called that a folder approves: an answer names a place by its ID alone. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../protocol/bytes.js';
import { partyIdOf } from '../../protocol/keys.js';
import { gatewayFolder } from '../folder/folder.js';
import type { DataFolder } from '../folder/folder.js';
import { readPublicKey } from './gateway-desk.js';

/** By party ID, in hex digits. Of a name that had another key before, the gateway whose gateway.pub is there now has it. */
export type GatewayNames = ReadonlyMap<string, string>;

/** Empty where the folder holds none; one that cannot be read goes without a name. */
export async function gatewayNames(folder: DataFolder): Promise<GatewayNames> {
  const names = new Map<string, string>();
  const inOrder = (await readdir(join(folder.dir, 'gateways')).catch(() => [])).toSorted();
  for (const name of inOrder) {
    const publicKey = await readPublicKey(gatewayFolder(folder, name).publicKey);
    const id = publicKey && toHex(partyIdOf(publicKey));
    if (id !== undefined && !names.has(id)) names.set(id, name);
  }
  return names;
}
