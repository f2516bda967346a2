/**
 * Which copy of a leaf was altered. The entry itself, its hash in the tile and the hash that the next entry
 * names must agree; where they do not, the two that do say which one is wrong. Pure.
 */
import { equalBytes } from '../../protocol/bytes.js';

export interface LeafEvidence {
  /** Hash of the entry as it is stored; `undefined` when it is not there. */
  readonly leaf: Uint8Array | undefined;
  /** The hash of the leaf before that the entry names; `undefined` when it cannot be read. */
  readonly previousLeaf: Uint8Array | undefined;
  /** Its hash in the tile, where the tile is stored. */
  readonly tileHash: Uint8Array | undefined;
}

export interface Verdict {
  readonly wrong: 'nothing' | 'entry' | 'tile' | 'entry or tile';
  /** The hash that was logged, as far as can be told. */
  readonly leaf: Uint8Array | undefined;
}

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a !== undefined && b !== undefined && equalBytes(a, b);

/** `named`: the hash that the next entry names; `undefined` where that cannot be relied on. */
function judge({ leaf, tileHash }: LeafEvidence, named: Uint8Array | undefined): Verdict {
  if (tileHash !== undefined && same(leaf, tileHash)) return { wrong: 'nothing', leaf };
  if (tileHash === undefined) {
    const wrong = leaf !== undefined && (named === undefined || same(leaf, named)) ? 'nothing' : 'entry';
    return { wrong, leaf: named ?? leaf };
  }
  if (same(leaf, named)) return { wrong: 'tile', leaf };
  const isClear = leaf === undefined || same(tileHash, named);
  return { wrong: isClear ? 'entry' : 'entry or tile', leaf: tileHash };
}

/**
 * A verdict for each of some leaves in a row. `after`: the hash of the last of them as what follows names it.
 *
 * What an altered entry says of the one before it does not count.
 */
export function judgeLeaves(evidence: readonly LeafEvidence[], after: Uint8Array | undefined): Verdict[] {
  const verdicts: Verdict[] = [];
  let named = after;
  for (const one of [...evidence].reverse()) {
    const verdict = judge(one, named);
    verdicts.push(verdict);
    named = verdict.wrong === 'nothing' || verdict.wrong === 'tile' ? one.previousLeaf : undefined;
  }
  return verdicts.reverse();
}
