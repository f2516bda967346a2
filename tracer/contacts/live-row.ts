/** The plain form of a row of a live table: what is appended to one, and what is read from one. */
import type { Sides } from './merge-accounts.js';

/**
 * Times in seconds, `start` in unix seconds; `lower` and `upper` are persons. Mutable: one row is filled again
 * and again.
 */
export interface LiveRow {
  lower: number;
  upper: number;
  epoch: number;
  start: number;
  duration: number;
  immediate: number;
  near: number;
  medium: number;
  other: number;
  attenuationDb: number;
  mutual: boolean;
  partial: boolean;
  nearInDay: number;
  /** Absent for a contact of which no more is known than stands in the row, in the epoch its start lies in. */
  sides: Sides | undefined;
}

/** A row to be filled. */
export const newRow = (): LiveRow => ({
  lower: 0,
  upper: 0,
  epoch: 0,
  start: 0,
  duration: 0,
  immediate: 0,
  near: 0,
  medium: 0,
  other: 0,
  attenuationDb: 0,
  mutual: false,
  partial: false,
  nearInDay: 0,
  sides: undefined,
});
