/** A ledger comes back on the ports it had before, so that those who knew where it was find it again. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { FirebreakError } from '../../protocol/errors.js';
import { writeAtomically } from '../files/atomic-file.js';
import type { DataFolder } from './folder.js';

const ports = z.object({ mqtt: z.int().min(0).max(65_535), http: z.int().min(0).max(65_535) });

/** Zeros, for free ports, when nothing was kept. */
export async function portsBefore(folder: DataFolder): Promise<z.infer<typeof ports>> {
  const text = await readFile(folder.ledger.ports, 'utf8').catch(() => '{}');
  const parsed = ports.safeParse(jsonOrNothing(text));
  return parsed.success ? parsed.data : { mqtt: 0, http: 0 };
}

export async function keepPorts(folder: DataFolder, mqttUrl: string, httpUrl: string): Promise<void> {
  const kept = { mqtt: Number(new URL(mqttUrl).port), http: Number(new URL(httpUrl).port) };
  await writeAtomically(folder.ledger.ports, `${JSON.stringify(kept)}\n`);
}

/** Listens on the port asked for; else on the one from before, or a free one when that is taken by now. */
export async function onPort<T>(
  asked: number | undefined,
  before: number,
  listen: (port: number) => Promise<T>,
): Promise<T> {
  try {
    return await listen(asked ?? before);
  } catch (error) {
    const taken = error instanceof FirebreakError && error.code === 'port-in-use';
    if (!taken || asked !== undefined) throw error;
    return listen(0);
  }
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
