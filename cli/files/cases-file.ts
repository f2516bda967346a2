/**
 * The cases of a cluster as a person writes them down: a line each, a tag number and, where it is known, when the case fell
 * ill, after spaces, a tab or a comma. Blank lines and lines that begin with # are passed over.
 */
import { tagNumberIn } from '../../protocol/brands.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { MAX_CASES, MIN_CASES } from '../../tracer/cluster/cluster-result.js';
import type { ClusterCase } from '../../tracer/cluster/cluster-result.js';
import { readInputFile } from './input-file.js';
import { parseTime } from '../terminal/times.js';

const MAX_BYTES = 65_536;

/** Throws `input` for a file that cannot be read, a line that is no case, by its number, and for too few cases or too many. */
export async function readCasesFile(file: string): Promise<ClusterCase[]> {
  return parseCases(new TextDecoder().decode(await readInputFile(file, MAX_BYTES)), file);
}

/** As {@link readCasesFile}, of a text; the errors call it by its name. */
export function parseCases(text: string, name: string): ClusterCase[] {
  const lineOf = new Map<string, number>();
  const cases: ClusterCase[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    const one = parseCase(line, `${name}, line ${index + 1}`);
    if (one === undefined) return;
    const before = lineOf.get(one.tag);
    if (before !== undefined) throw refuse(`${name}, line ${index + 1}`, `the case of line ${before} again`);
    lineOf.set(one.tag, index + 1);
    cases.push(one);
  });
  if (cases.length < MIN_CASES || cases.length > MAX_CASES)
    throw refuse(
      name,
      `a cluster has ${MIN_CASES} to ${MAX_CASES} cases, and here ${cases.length === 1 ? 'is' : 'are'} ${cases.length}`,
    );
  return cases;
}

function parseCase(text: string, where: string): ClusterCase | undefined {
  const line = text.replace(/^\uFEFF/, '').trim();
  if (line === '' || line.startsWith('#')) return undefined;
  const [, digits = '', onset = ''] = /^([^\s,]+)(?:\s*,\s*|\s+)?(.*)$/.exec(line) ?? [];
  const number = tagNumberIn(digits);
  if (number === undefined)
    throw refuse(where, 'it begins with no tag number; write one, and the onset after it');
  const tag = String(number);
  return onset === '' ? { tag } : { tag, onset: onsetOf(onset, where) };
}

function onsetOf(text: string, where: string): number {
  try {
    return parseTime(text, 'the onset');
  } catch (error) {
    throw refuse(where, asError(error).message);
  }
}

const refuse = (where: string, why: string): FirebreakError =>
  new FirebreakError('input', `${where}: ${why}`);
