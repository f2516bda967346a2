/** A process whose disk takes no more than some bytes a file for a while; prints what its journal and flash made of it. */
import { execFileSync } from 'node:child_process';
import { openFileFlash } from '../../firmware-sim/tag/flash-file.js';
import { openFileJournal } from '../../firmware-sim/tag/sample-journal-file.js';
import { recordBytes } from '../contracts/flash-contract.js';
import { sampleAt } from './samples.js';

const [folder = ''] = process.argv.slice(2);
const START_MS = 1_770_000_000_000;

process.on('SIGXFSZ', () => {}); // without a listener the system ends the process
const limitFiles = (bytes: string): void =>
  void execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);

let threw = 0;
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    threw += 1;
  }
}

const journal = openFileJournal(folder);
const flash = openFileFlash(`${folder}/encounters.flash`, 16);
const note = (second: number): void => journal.append(7, sampleAt(START_MS + second * 1000, { peer: 1 }));

for (let second = 0; second < 20; second += 1) note(second);
flash.append([1].map(recordBytes));
limitFiles('900'); // in the middle of the 23rd note
for (let second = 20; second < 25; second += 1) attempt(() => note(second));
limitFiles('230'); // in the middle of the second record
attempt(() => flash.append([2, 3].map(recordBytes)));
limitFiles('unlimited');
for (let second = 25; second < 125; second += 1) note(second);
flash.append([2, 3].map(recordBytes));
flash.free([0]);
journal.close();
flash.close();
console.log(threw);
