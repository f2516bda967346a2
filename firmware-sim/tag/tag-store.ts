/**
 * Where a tag keeps what must outlive its power: keys, credentials, the report chain, its clock. save() is synchronous
 * and atomic: after a crash the tag finds the state before it or after it, never a mixture.
 * Implementation: tag-store-file.ts. A fleet in one process needs none.
 */
import type { TagState } from './tag-state.js';

export interface TagStore {
  save(state: TagState): void;
}

export const noTagStore: TagStore = { save: () => {} };
