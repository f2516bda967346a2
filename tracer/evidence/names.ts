/** Whose the ephemeral IDs of a bundle were (evidence.md): the authority's word, taken as it is, but held to agree with itself. */
import type { Epoch, TagNumber } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import type { NamedId } from '../../protocol/evidence/bundle.js';
import { requireAllUsed, requireEvidence } from './refusal.js';

export interface NameBook {
  /** Throws `evidence` for an ID that is not named. */
  nameOf(ephId: Uint8Array): { readonly tag: TagNumber; readonly epoch: Epoch };
  /** Throws `evidence` when a name was never asked for. */
  requireAllUsed(): void;
}

/** Throws `evidence` unless IDs ascend and no tag has two of them in one epoch (protocol.md §4). */
export function openNames(names: readonly NamedId[]): NameBook {
  const places = new Map<string, number>();
  const owners = new Set<string>();
  names.forEach(({ ephId, tag, epoch }, place) => {
    const before = names[place - 1]?.ephId;
    requireEvidence(
      before === undefined || Buffer.compare(before, ephId) < 0,
      `ephemeral ID ${place} of the bundle is out of order`,
    );
    places.set(toHex(ephId), place);
    owners.add(`${tag}/${epoch}`);
  });
  requireEvidence(owners.size === names.length, 'the bundle gives one tag two ephemeral IDs in one epoch');
  const used = new Set<number>();
  return {
    nameOf(ephId) {
      const place = places.get(toHex(ephId)) ?? -1;
      const name = names[place];
      requireEvidence(name !== undefined, 'the bundle does not say whose an ephemeral ID was');
      used.add(place);
      return { tag: name.tag, epoch: name.epoch };
    },
    requireAllUsed: () => requireAllUsed(names.length, used, 'ephemeral ID'),
  };
}
