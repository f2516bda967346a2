/** What a tag that runs as a process keeps in its folder: `tag.json`, `encounters.flash`, `heard-<epoch>.log`. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProtocolSettings } from '../../protocol/settings.js';
import { openFileFlash } from './flash-file.js';
import type { Flash } from './flash.js';
import { onNewFlash } from './report-chain.js';
import { openFileJournal } from './sample-journal-file.js';
import type { SampleJournal } from './sample-journal.js';
import { fileTagStore, loadTagState } from './tag-store-file.js';
import type { TagState } from './tag-state.js';
import type { TagStore } from './tag-store.js';

export interface TagFolder {
  /** The state the last process left; `undefined` for a new tag. */
  readonly state: TagState | undefined;
  readonly store: TagStore;
  readonly flash: Flash;
  readonly journal: SampleJournal;
  close(): void;
}

/** Throws `permission`, `damaged`, `foreign` or what the disk says. One process at a time: the caller sees to it. */
export function openTagFolder(path: string, settings: ProtocolSettings): TagFolder {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const statePath = join(path, 'tag.json');
  const state = loadTagState(statePath, settings);
  const store = fileTagStore(statePath);
  const flash = openFileFlash(join(path, 'encounters.flash'));
  try {
    if (state !== undefined && flash.isNew) forgetIds(state, store);
  } catch (error) {
    flash.close();
    throw error;
  }
  const journal = openFileJournal(path);
  const close = (): void => {
    flash.close();
    journal.close();
  };
  return { state, store, flash, journal, close };
}

/** On disk before the new flash holds a record: the next start would free it by the id of one that was delivered. */
function forgetIds(state: TagState, store: TagStore): void {
  const { delivered, outstanding } = state.chain;
  if (delivered.length === 0 && (outstanding?.ids.length ?? 0) === 0) return;
  state.chain = onNewFlash(state.chain);
  store.save(state);
}
