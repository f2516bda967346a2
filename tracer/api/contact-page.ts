/** Pages of a person's contacts: in a fixed order, each page beginning after the last row of the one before. */
import { FirebreakError } from '../../protocol/errors.js';

/** What tells a person's contacts apart, and orders them. */
export interface ContactPlace {
  readonly start: number;
  /** With whom, a tag number. */
  readonly person: string;
  readonly epoch: number;
}

const CURSOR = /^(\d{1,12})\.(\d{1,15})\.(\d{1,10})$/;

/** By start, then person, then epoch. */
export const byPlace = (x: ContactPlace, y: ContactPlace): number =>
  x.start - y.start || Number(x.person) - Number(y.person) || x.epoch - y.epoch;

/** A page that begins after this row. */
export const cursorAt = ({ start, person, epoch }: ContactPlace): string => `${start}.${person}.${epoch}`;

/** Whether a row comes after the cursor; every one does without. Throws `input` for one that no page gave. */
export function afterCursor(cursor: string | undefined): (place: ContactPlace) => boolean {
  if (cursor === undefined) return () => true;
  const [, start, person, epoch] = CURSOR.exec(cursor) ?? [];
  if (start === undefined || person === undefined || epoch === undefined)
    throw new FirebreakError('input', 'after must be the `next` of the page before');
  const last = { start: Number(start), person, epoch: Number(epoch) };
  return (place) => byPlace(place, last) > 0;
}
