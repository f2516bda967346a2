/** What an error of the store or its disk means for whoever goes on with it. */
import { FirebreakError } from '../../protocol/errors.js';

/** Whether what lies on the disk cannot be trusted. */
export const isDamaged = (error: unknown): error is FirebreakError =>
  error instanceof FirebreakError && error.code === 'damaged';

/** Whether an error of the disk stopped the store, since nobody knows which manifest the disk has (store-commit.ts). */
export const hasStopped = (error: unknown): error is FirebreakError =>
  error instanceof FirebreakError && error.code === 'closed';
