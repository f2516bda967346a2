/**
 * Recordings of contacts, which are no part of this project. `FIREBREAK_DATA` names the folder that holds them; without it, the
 * one beside the checkout is looked into.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Tests and benches are begun in the project's folder, also where they are compiled into another. */
const BESIDE = resolve('../shared/data/contacts');
const told = new Set<string>();

/**
 * The path of a recording, `undefined` where it does not lie beside the checkout, which is said once. Throws where it is not in
 * the folder that was named.
 */
export function recordedFile(name: string): string | undefined {
  const named = process.env['FIREBREAK_DATA'];
  const folder = named ?? BESIDE;
  const file = join(folder, name);
  if (existsSync(file)) return file;
  if (named !== undefined) throw new Error(`there is no ${name} in ${folder}, which FIREBREAK_DATA names`);
  if (!told.has(name)) console.warn(`there is no ${name} in ${folder} (FIREBREAK_DATA names another folder)`);
  told.add(name);
  return undefined;
}
