/** A tag's state in one file, mode 0600: written beside, synced, and renamed into place. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemReason } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import { decodeSavedTag, encodeSavedTag } from './saved-tag.js';
import type { TagState } from './tag-state.js';
import type { TagStore } from './tag-store.js';

export function fileTagStore(path: string): TagStore {
  return {
    save: (state) => {
      const beside = `${path}.new`;
      const fd = openSync(beside, 'w', 0o600);
      try {
        writeFileSync(fd, encodeSavedTag(state));
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(beside, path);
      syncFolder(dirname(path));
    },
  };
}

/** The state kept in a file, `undefined` when there is none. Throws `permission` or `damaged`. */
export function loadTagState(path: string, settings: ProtocolSettings): TagState | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new FirebreakError(
      'permission',
      `${path} holds a tag's secret: make it readable by its owner only (chmod 600)`,
    );
  }
  try {
    return decodeSavedTag(text, settings);
  } catch (cause) {
    throw new FirebreakError('damaged', `${path} is not a tag's state as this version writes it`, { cause });
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new FirebreakError('permission', `cannot read ${path}: ${systemReason(error)}`, { cause: error });
  }
}

/** So that the rename itself is on disk. */
function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
