/** The time that a question is about. */

/** Unix seconds, both ends inclusive. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

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
