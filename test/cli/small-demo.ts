/** The folder a demo leaves, of three people: 1 was with 2 for twenty minutes, and 2 with 3 an hour and 40 minutes later. */
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt } from './in-process.js';

/** 2023-11-15T08:00Z, counted as the recordings do. */
const MORNING = 28_800;
const STEP = 20;
const STEPS = 60;

export const CONTACTS = [...stretch(MORNING, 1, 2), ...stretch(MORNING + 7_200, 2, 3)].join('\n');

function stretch(from: number, i: number, j: number): string[] {
  return Array.from({ length: STEPS }, (_, step) => `${from + STEP * (step + 1)}\t${i}\t${j}`);
}

export interface Workshop {
  readonly dir: string;
  readonly contacts: string;
  /** What the demo left; to be looked at only. */
  readonly demo: string;
  /** A copy of it to spoil. */
  copy(): Promise<string>;
  path(name: string): string;
  remove(): Promise<void>;
}

export async function openWorkshop(): Promise<Workshop> {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-cli-'));
  const contacts = join(dir, 'contacts.tij');
  const demo = join(dir, 'demo');
  await writeFile(contacts, CONTACTS);
  const { code, text } = await attempt(
    ...['demo', '--contacts', contacts, '--case', '1', '--latent-seconds', '0', '--data-dir', demo],
  );
  if (code !== 0) throw new Error(`the demo failed: ${text}`);
  let copies = 0;
  return {
    dir,
    contacts,
    demo,
    copy: async () => {
      const place = join(dir, `copy-${++copies}`);
      await cp(demo, place, { recursive: true });
      return place;
    },
    path: (name) => join(dir, name),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** Every file under a folder, by its path from there. */
export async function filesUnder(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
