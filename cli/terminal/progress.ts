/** One line that moves while long work goes on; silent where nobody watches. */

export interface Progress {
  /** `fraction` is 0..1; undefined, or no number (0 of 0), when the end is not known. */
  readonly update: (text: string, fraction?: number) => void;
  /** Ends the line, so that what follows starts on its own. */
  readonly done: () => void;
}

const BAR = 24;
const MIN_INTERVAL_MS = 80;

export function terminalProgress(stream: NodeJS.WriteStream): Progress {
  if (!stream.isTTY) return { update: () => {}, done: () => {} };
  let shownAt = 0;
  let shown = false;
  const update = (text: string, fraction?: number): void => {
    if (Date.now() - shownAt < MIN_INTERVAL_MS && fraction !== 1) return;
    shownAt = Date.now();
    shown = true;
    stream.write(`\r\x1b[2K${Number.isFinite(fraction) ? `${bar(fraction ?? 0)} ` : ''}${text}`);
  };
  const done = (): void => {
    if (shown) stream.write('\r\x1b[2K');
    shown = false;
  };
  return { update, done };
}

function bar(fraction: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * BAR);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${String(Math.floor(fraction * 100)).padStart(3)}%`;
}
