/**
 * How often the true source of a simulated outbreak is found when it is hidden (clusters.md), next to counting whom the cases
 * met, on the same outbreaks: a JSON line for each recording and share of the infected that become known, and one for all.
 */
import { basename } from 'node:path';
import { readContactsFile } from '../firmware-sim/recorded/contacts-file.js';
import { wardAndHub } from '../firmware-sim/scenario/scenario.js';
import type { Contact } from '../tracer/contact.js';
import { recordedFile } from '../test/recordings.js';
import { contactsOfRecording } from '../test/tracer/cluster/recording-contacts.js';
import { schoolContacts } from '../test/tracer/cluster/school.js';
import { diseaseFor, studySources } from '../test/tracer/cluster/study.js';
import type { Hits, StudyResult } from '../test/tracer/cluster/study.js';

const OUTBREAKS = 100;
const KNOWN_SHARES = [0.15, 0.3, 0.6];
const HOPS = 4;
const SEED = 'bench';
const FILES = ['invs13-workplace.tij.gz', 'sfhh-conference.tij.gz'];
const SCHOOL = { classes: 8, pupils: 20, days: 5 };

interface Recording {
  readonly name: string;
  readonly contacts: readonly Contact[];
  /** The constants of the model were chosen on other outbreaks over these contacts. */
  readonly isTunedOn: boolean;
}

/** Without a file: the recordings beside the checkout (FIREBREAK_DATA names another folder) and what is built in. */
export async function benchClusters(contactsFile?: string): Promise<void> {
  const recordings = contactsFile === undefined ? await ownRecordings() : [await recordingIn(contactsFile)];
  const results: StudyResult[] = [];
  for (const recording of recordings) results.push(...(await studyOne(recording)));
  const outbreaks = results.reduce((sum, result) => sum + result.outbreaks, 0);
  const overall = (hitsOf: (result: StudyResult) => Hits): Hits => ({
    first: shareOf(results, outbreaks, (result) => hitsOf(result).first),
    firstFive: shareOf(results, outbreaks, (result) => hitsOf(result).firstFive),
  });
  print('clusters-all', {
    outbreaks,
    method: overall(({ method }) => method),
    counting: overall(({ counting }) => counting),
    countingBeforeOnset: overall(({ countingBeforeOnset }) => countingBeforeOnset),
  });
}

async function studyOne({ name, contacts, isTunedOn }: Recording): Promise<StudyResult[]> {
  const disease = diseaseFor(contacts);
  const people = new Set(contacts.flatMap(({ a, b }) => [a, b])).size;
  const results: StudyResult[] = [];
  for (const knownShare of KNOWN_SHARES) {
    const started = performance.now();
    const settings = { seed: SEED, outbreaks: OUTBREAKS, knownShare, hops: HOPS };
    const result = await studySources({ name, contacts, disease }, settings);
    const msEach = Math.round((performance.now() - started) / result.outbreaks);
    print('clusters', {
      recording: name,
      isTunedOn,
      people,
      disease,
      hops: HOPS,
      knownShare,
      ...result,
      msEach,
    });
    results.push(result);
  }
  return results;
}

const shareOf = (
  results: readonly StudyResult[],
  outbreaks: number,
  partOf: (result: StudyResult) => number,
): number => results.reduce((sum, result) => sum + result.outbreaks * partOf(result), 0) / outbreaks;

async function ownRecordings(): Promise<Recording[]> {
  const files = FILES.map(recordedFile).filter((file) => file !== undefined);
  const ward = contactsOfRecording(wardAndHub().recording);
  return [
    ...(await Promise.all(files.map(recordingIn))),
    { name: 'ward and hub', contacts: ward, isTunedOn: false },
    { name: 'school, seed 2', contacts: schoolContacts(2, SCHOOL), isTunedOn: false },
  ];
}

async function recordingIn(file: string): Promise<Recording> {
  const name = basename(file);
  const contacts = contactsOfRecording(await readContactsFile(file));
  return { name, contacts, isTunedOn: name === FILES[0] };
}

function print(bench: string, figures: object): void {
  const rounded = (_key: string, value: unknown): unknown =>
    typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
  console.log(JSON.stringify({ bench, ...figures }, rounded));
}
