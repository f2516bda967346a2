/** The synthetic city (docs/city.md) that questions are timed on, and the contact store it is built into. */
import { mkdir } from 'node:fs/promises';
import { dayFile } from '../../firmware-sim/city/city-folder.js';
import { cityFor } from '../../firmware-sim/city/city-settings.js';
import { makeCity } from '../../firmware-sim/city/make-city.js';
import { megabytes, round, seconds } from './figures.js';
import { startOurs } from './ours.js';
import { extentOf } from './rows.js';

const DAYS = 14;

type Tell = (figures: object) => void;

export interface City {
  readonly dir: string;
  /** In order of day. */
  readonly files: readonly string[];
  readonly people: number;
  readonly contacts: number;
  readonly from: number;
  readonly to: number;
}

/** About `wanted` contacts of fourteen days; `tell` is given the figures. */
export async function newCity(dir: string, wanted: number, tell: Tell): Promise<City> {
  await mkdir(dir);
  const settings = cityFor({ contacts: wanted, days: DAYS, seed: 'bench' });
  const startMs = performance.now();
  await makeCity({ settings, dir, signal: new AbortController().signal });
  const files = Array.from({ length: DAYS }, (_, k) => dayFile(dir, settings.firstDay + k));
  const extent = await extentOf(files);
  tell({ measure: 'city', contacts: extent.contacts, people: settings.people, seconds: seconds(startMs) });
  return { dir, files, people: settings.people, ...extent };
}

/** A contact store in `dir`, made in a process of its own. */
export async function buildStore({ files, contacts }: City, dir: string, tell: Tell): Promise<void> {
  const ours = startOurs();
  try {
    const { seconds: took, peakBytes } = await ours.tell({ kind: 'build', dir, files });
    tell({ measure: 'build', contacts, seconds: round(took), goalSeconds: 60, peakMB: megabytes(peakBytes) });
  } finally {
    await ours.end();
  }
}
