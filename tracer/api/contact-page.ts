/** Pages of a person's contacts, as their addresses are written: each page begins after the last row of the one before. */
import { AskerError } from '../asker-error.js';
import type { ContactPlace } from '../looks/person-contacts.js';

const CURSOR = /^(\d{1,12})\.(\d{1,15})\.(\d{1,10})$/;

/** A page that begins after this row. */
export const cursorAt = ({ start, person, epoch }: ContactPlace): string => `${start}.${person}.${epoch}`;

/** The row that a page begins after; none without a cursor. Throws `input` for a cursor that no page gave. */
export function placeAfter(cursor: string | undefined): ContactPlace | undefined {
  if (cursor === undefined) return undefined;
  const [, start, person, epoch] = CURSOR.exec(cursor) ?? [];
  if (start === undefined || person === undefined || epoch === undefined)
    throw new AskerError('input', 'after must be the `next` of the page before');
  return { start: Number(start), person, epoch: Number(epoch) };
}
