/**
 * Who stands where and when, for rehearsals on a controller emulator. A text of lines
 *
 *     time name x y        unix seconds or an ISO date; a tag's number or a gateway's name; metres
 *
 * A name stands where its last line up to a time puts it; blank lines and lines that begin with # are passed over.
 */
import { FirebreakError } from '../../protocol/errors.js';
import type { Position } from '../../radio/air/propagation.js';
import { parseTime } from '../terminal/times.js';

interface Stay extends Position {
  readonly fromMs: number;
}

export interface Movement {
  /** Undefined for a name that is not in the script, or not there yet. `atMs`: deployment clock. */
  readonly placeOf: (name: string, atMs: number) => Position | undefined;
}

const LINE = /^(\S+)\s+([a-z0-9][a-z0-9-]*)\s+(-?\d+(?:\.\d+)?)\s+(-?\d+(?:\.\d+)?)$/;

/** Throws `format` naming the line that does not fit, or goes back in time for its name. */
export function parseMovement(text: string): Movement {
  const stays = new Map<string, Stay[]>();
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const { name, stay } = parseLine(line.trim(), index + 1);
    const own = stays.get(name) ?? [];
    if (stay.fromMs < (own.at(-1)?.fromMs ?? 0)) throw misfit(index + 1, `${name} goes back in time`);
    stays.set(name, [...own, stay]);
  });
  return { placeOf: (name, atMs) => stays.get(name)?.findLast(({ fromMs }) => fromMs <= atMs) };
}

function parseLine(line: string, number: number): { readonly name: string; readonly stay: Stay } {
  const [, time, name, x, y] = LINE.exec(line) ?? [];
  if (time === undefined || name === undefined)
    throw misfit(number, 'it must be “time name x y”, such as “2026-03-02T08:00 17 3.5 2”');
  const fromMs = parseTime(time, `line ${number} of the movement`) * 1000;
  return { name, stay: { fromMs, x: Number(x), y: Number(y) } };
}

const misfit = (line: number, why: string) =>
  new FirebreakError('format', `line ${line} of the movement: ${why}`);
