/**
 * What a ledger says where something of its folder is damaged or lost: what to do first, and the page that
 * says when a copy may be started.
 */
import { FirebreakError } from '../../protocol/errors.js';

/** Two entries under one number are a fork, which no command mends. */
export const BEFORE_A_COPY =
  'Before you start a copy, read docs/ledger-fsck.md: one that is too old forks the log';

export const WHAT_TO_DO =
  'Leave the folder as it is: with the ledger stopped, firebreak ledger fsck --data-dir DIR says what of it is whole. ' +
  BEFORE_A_COPY;

/** `what` is damaged or lost, in words that go without a full stop. */
export const storeDamage = (what: string, cause?: unknown): FirebreakError =>
  new FirebreakError('damaged', `${what}. ${WHAT_TO_DO}`, { cause });
