/** What a demo is about: whose contacts, and which case. */
import { readContactsFile } from '../../firmware-sim/recorded/contacts-file.js';
import type { ContactRecording } from '../../firmware-sim/recorded/contact-recording.js';
import { wardAndHub } from '../../firmware-sim/scenario/scenario.js';
import { FirebreakError } from '../../protocol/errors.js';

export interface Subject {
  readonly recording: ContactRecording;
  readonly caseTag: string;
  /** In words, where the contacts come from. */
  readonly source: string;
  /** In words, who the case is, when nobody asked for one. */
  readonly about: string | undefined;
}

/** Throws `input` naming the line of a malformed file, `not-found` for a case that is not in it. */
export async function chooseSubject(
  contactsFile: string | undefined,
  wishedCase: string | undefined,
): Promise<Subject> {
  if (contactsFile === undefined) {
    const { recording, indexCase, about } = wardAndHub();
    const source = 'the built-in scenario (a hospital ward and a transit hub, three days)';
    if (wishedCase === undefined) return { recording, caseTag: String(indexCase), source, about };
    return { recording, caseTag: requireCase(recording, wishedCase, source), source, about: undefined };
  }
  const recording = await readContactsFile(contactsFile);
  if (wishedCase !== undefined) {
    return {
      recording,
      caseTag: requireCase(recording, wishedCase, contactsFile),
      source: contactsFile,
      about: undefined,
    };
  }
  return {
    recording,
    caseTag: mostConnected(recording),
    source: contactsFile,
    about: 'the person with the most contact time',
  };
}

function requireCase(recording: ContactRecording, wished: string, source: string): string {
  const tag = /^\d{1,15}$/.test(wished)
    ? recording.persons.find((person) => person === Number(wished))
    : undefined;
  if (tag !== undefined) return String(tag);
  const some = recording.persons.slice(0, 5).join(', ');
  throw new FirebreakError('not-found', `case ${wished} is nobody in ${source}; people there are ${some}, …`);
}

function mostConnected({ contacts, persons }: ContactRecording): string {
  const contactMs = new Float64Array(persons.length);
  for (const { a, b, startMs, endMs } of contacts) {
    for (const place of [a, b]) contactMs[place] = (contactMs[place] ?? 0) + endMs - startMs;
  }
  const place = contactMs.indexOf(contactMs.reduce((most, ms) => Math.max(most, ms), 0));
  return String(persons[place]);
}
