/** What of a Bluetooth radio is not at work, for whoever has to see to it. Pure. */
import { adapterText } from './adapter-name.js';
import type { AdapterName } from './adapter-name.js';

export interface AdapterAtWork {
  readonly name: AdapterName;
  readonly isUp: boolean;
  /** It is there, but does not do as it is told. */
  readonly isFailing?: boolean;
}

/** In words; undefined when both adapters are at work. */
export function bleTrouble(scan: AdapterAtWork, advertise: AdapterAtWork): string | undefined {
  const troubles = [troubleOf(scan, 'scans'), troubleOf(advertise, 'advertises')].filter(
    (trouble) => trouble !== undefined,
  );
  return troubles.length > 0 ? troubles.join(', and ') : undefined;
}

function troubleOf({ name, isUp, isFailing = false }: AdapterAtWork, does: string): string | undefined {
  if (isUp && !isFailing) return undefined;
  const what = isUp ? 'does not do as it is told' : 'is down or was pulled out';
  return `the adapter that ${does} (${adapterText(name)}) ${what}`;
}
