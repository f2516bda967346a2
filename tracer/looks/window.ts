/** The time that a question is about. */

/** Unix seconds, both ends inclusive. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** From the earlier beginning to the later end. */
export function spanning(one: Window | undefined, other: Window | undefined): Window | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return { from: Math.min(one.from, other.from), to: Math.max(one.to, other.to) };
}

/** Of a window that lies before or after all that is known: what is known. */
export const knownBeside = ({ from, to }: Window, known: Window | undefined): { readonly known?: Window } =>
  known !== undefined && (from > known.to || to < known.from) ? { known } : {};

/** What a question says of it. */
export interface AskedWindow {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/**
 * All of `span` where the question leaves it open. One that begins after all that is known, or ends before it,
 * is a moment in which nothing happened: whoever asks for what came since then is answered that nothing did.
 */
export function windowOf({ from, to }: AskedWindow, span: Window | undefined): Window {
  const { from: first, to: last } = span ?? { from: from ?? to ?? 0, to: to ?? from ?? 0 };
  return { from: from ?? Math.min(first, to ?? first), to: to ?? Math.max(last, from ?? last) };
}
