/** The options of a trace, the same for `demo` and `trace`, and some of them for `cluster`. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { MAX_LISTED } from '../../tracer/looks/trace-message.js';
import {
  DEFAULT_HOPS,
  DEFAULT_LATENT_SECONDS,
  DEFAULT_MIN_SECONDS,
  MAX_HOPS,
} from '../../tracer/looks/trace-result.js';
import type { Direction, TraceRequest } from '../../tracer/looks/trace-result.js';
import type { AttenuationClass } from '../../tracer/walk/lens.js';
import { knownBeside } from '../../tracer/looks/window.js';
import type { Window } from '../../tracer/looks/window.js';
import { DEFAULT_LIST } from '../../tracer/walk/trace-walks.js';
import { usage } from './exit.js';
import { count } from '../present/counts.js';
import { nothingKnown } from '../present/nothing-known.js';
import type { ListOrder } from '../present/trace-rows.js';
import { TIME_FORMAT, time, wholeNumber } from './options.js';
import { localTime } from './times.js';

export const MAX_SECONDS = 10 ** 9;

export interface TraceOptions {
  readonly hops: number;
  readonly direction: Direction;
  readonly from?: number;
  readonly to?: number;
  readonly minSeconds: number;
  readonly latentSeconds: number;
  readonly infectiousSeconds?: number;
  readonly attenuation: AttenuationClass;
  readonly presence?: boolean;
  readonly list?: number;
  readonly sort: ListOrder;
  readonly json?: string;
  readonly csv?: string;
}

/** Of a cluster too. */
export const HOPS_OPTION = [
  '--hops <n>',
  `how many contacts away to look, 1 to ${MAX_HOPS}`,
  wholeNumber(1, MAX_HOPS),
  DEFAULT_HOPS,
] as const;

export const addTraceOptions = (command: Command): Command =>
  addContactTraceOptions(command).option('--presence', 'also go by who was at one gateway at one time');

/** All but `--presence`: of a trace where there are contacts and no gateways. */
export function addContactTraceOptions(command: Command): Command {
  const windowed = command
    .option(...HOPS_OPTION)
    .addOption(
      new Option(
        '--direction <way>',
        'forward: who may have been infected; backward: who may be the source; both: sources, and whom else they may have infected',
      )
        .choices(['forward', 'backward', 'both'])
        .default('forward'),
    )
    .option(
      '--from <time>',
      `start of the window ${TIME_FORMAT}; the first contact by default`,
      time('--from'),
    )
    .option('--to <time>', `end of the window ${TIME_FORMAT}; the last contact by default`, time('--to'));
  return addWalkOptions(windowed)
    .addOption(
      new Option('--attenuation <class>', 'which contact counts as near: of this class and nearer ones')
        .choices(['immediate', 'near', 'medium'])
        .default('near'),
    )
    .option(
      '--list <n>',
      `list at most so many people, 1 to ${count(MAX_LISTED)} (default: ${count(DEFAULT_LIST)}): the first by hop, then time of exposure; all are counted`,
      wholeNumber(1, MAX_LISTED),
    )
    .addOption(
      new Option(
        '--sort <order>',
        'order of those who are listed, on the screen and in the CSV: by hop, then time of exposure; or by score, on the screen as a list',
      )
        .choices(['hop', 'score'])
        .default('hop'),
    )
    .option('--json <file>', 'write the trace as JSON')
    .option('--csv <file>', 'write the trace as CSV, a row a person');
}

/** Who passes it on to whom, and when: of a cluster too. */
export function addWalkOptions(command: Command): Command {
  const seconds = wholeNumber(0, MAX_SECONDS);
  return command
    .option(
      '--min-seconds <s>',
      'near this long within 24 hours makes a close contact',
      seconds,
      DEFAULT_MIN_SECONDS,
    )
    .option(
      '--latent-seconds <s>',
      'from exposure until a person infects others',
      seconds,
      DEFAULT_LATENT_SECONDS,
    )
    .option(
      '--infectious-seconds <s>',
      'for how long a person infects others; without it, for ever',
      seconds,
    );
}

/** What is asked, but for the case and the window; defaults are left out, as they are in an answer. */
export function askedOf(options: TraceOptions): Omit<TraceRequest, 'case' | 'from' | 'to'> {
  const { hops, direction, minSeconds, latentSeconds, infectiousSeconds } = options;
  const { attenuation, presence, list } = options;
  return {
    ...{ direction, hops, minSeconds, latentSeconds },
    ...(infectiousSeconds !== undefined && { infectiousSeconds }),
    ...(attenuation !== 'near' && { attenuation }),
    ...(presence === true && { presence }),
    ...(list !== undefined && { list }),
  };
}

/** Throws `usage` for a window that no look need be recorded to find empty; `nowMs` is deployment time, where it is known. */
export function requireWindow({ from, to }: Partial<Window>, nowMs = Infinity): void {
  if (from !== undefined && to !== undefined && from > to)
    throw usage('the window ends before it begins: see --from and --to');
  if (from !== undefined && from * 1000 > nowMs)
    throw usage(
      `--from, ${localTime(from, true)}, is to come: the folder’s clock says ${localTime(Math.floor(nowMs / 1000), true)}`,
    );
}

/** Why there is nothing in a window that was left open at the end where nothing is known any more. */
export function beyondAllKnown(asked: Partial<Window>, { from, to }: Window): string | undefined {
  if (asked.from !== undefined && asked.to === undefined && to <= asked.from)
    return `nothing is known that ended after --from, ${localTime(asked.from, true)}`;
  if (asked.to !== undefined && asked.from === undefined && from >= asked.to)
    return `nothing is known that began before --to, ${localTime(asked.to, true)}`;
  return undefined;
}

/** Throws `usage` for a window that ends before it begins, or of which nothing is known. */
export function requestOf(options: TraceOptions, caseTag: string, span: Window): TraceRequest {
  const from = options.from ?? span.from;
  const to = options.to ?? span.to;
  if (from > to)
    throw usage(beyondAllKnown(options, span) ?? 'the window ends before it begins: see --from and --to');
  const { known } = knownBeside({ from, to }, span);
  if (known !== undefined) throw usage(nothingKnown(known));
  return { ...askedOf(options), case: caseTag, from, to };
}
