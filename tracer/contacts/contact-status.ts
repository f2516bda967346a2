/** What a store holds, in numbers: how many contacts, live and sealed, and from when to when. */
import type { LiveWriter } from './live-writer.js';

export interface ContactStatus {
  readonly contacts: number;
  /** Contacts that both sides reported. */
  readonly mutual: number;
  readonly people: number;
  /** Of the contacts, those in live tables. */
  readonly live: number;
  readonly liveBytes: number;
  readonly segments: number;
}

/** Start of the first and end of the last contact, unix seconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export function statusOf(writer: LiveWriter): ContactStatus {
  const { contacts, mutual, met: people, liveContacts: live, bytes: liveBytes, sealed } = writer;
  return { contacts, mutual, people, live, liveBytes, segments: sealed.list.length };
}

/** Undefined before there is a contact. */
export function spanOf({ tables, sealed }: LiveWriter): Span | undefined {
  const segments = sealed.list.map(({ segment }) => segment);
  const starts = [...tables.map(({ firstStart }) => firstStart), sealed.firstStart];
  const ends = [...tables.map(({ lastEnd }) => lastEnd), ...segments.map((s) => s.lastSeconds)];
  const [from, to] = [Math.min(...starts), Math.max(...ends)];
  return to < from ? undefined : { from, to };
}
