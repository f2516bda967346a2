/** Which witnesses cosigned a checkpoint and when, in words: a log that shows nothing new is noticed by these times. */
import { plain } from '../../protocol/plain-text.js';
import type { WitnessedCheckpoint } from '../../protocol/tlog/witness-policy.js';
import { utc } from '../terminal/times.js';

/** "cosigned by hospital 2026-09-21T14:13:20Z, press 2026-09-21T14:13:21Z", each by its own clock; `undefined` for nobody. */
export function cosignedBy(cosigned: WitnessedCheckpoint['cosigned']): string | undefined {
  const witnesses = [...cosigned].map(([name, atSeconds]) => `${plain(name)} ${utc(atSeconds)}`);
  return witnesses.length === 0 ? undefined : `cosigned by ${witnesses.join(', ')}`;
}

/** The same as a line of its own below what it is about; none for nobody. */
export function cosignedLines(cosigned: WitnessedCheckpoint['cosigned']): string[] {
  const words = cosignedBy(cosigned);
  return words === undefined ? [] : [`  ${words}`];
}
