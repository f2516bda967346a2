/** Recorded contacts from a file, with the names of people instead of places. */
import { readContactsFile } from '../../firmware-sim/recorded/contacts-file.js';
import type { ContactRecording } from '../../firmware-sim/recorded/contact-recording.js';

export interface NamedRecording {
  readonly recording: ContactRecording;
  readonly contacts: readonly {
    readonly a: number;
    readonly b: number;
    readonly startMs: number;
    readonly endMs: number;
  }[];
}

export async function loadContacts(file: string): Promise<NamedRecording> {
  const recording = await readContactsFile(file);
  const nameOf = (place: number): number => recording.persons[place] ?? place;
  const contacts = recording.contacts.map(({ a, b, ...stretch }) => ({
    a: nameOf(a),
    b: nameOf(b),
    ...stretch,
  }));
  return { recording, contacts };
}
