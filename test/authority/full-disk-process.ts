/** A process whose disk has no room for a while; prints how many tags its registry counts: before, after, and opened again. */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openLevelRecords } from '../../authority/records/records-level.js';
import { tagRegistry } from '../../authority/credentials/tag-registry.js';
import type { TagRegistry } from '../../authority/credentials/tag-registry.js';
import { asTagNumber } from '../../protocol/brands.js';

const [folder = ''] = process.argv.slice(2);
const OWNER = new Uint8Array(4).fill(7);
const DAY = 20_500;

process.on('SIGXFSZ', () => {}); // without a listener the system ends the process
const limitFiles = (bytes: string): void =>
  void execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);

function logBytes(): number {
  const name = readdirSync(folder).find((file) => file.endsWith('.log')) ?? '';
  return statSync(join(folder, name)).size;
}

const enrol = (tags: TagRegistry, number: number): Promise<void> =>
  tags.record(asTagNumber(number), {
    onDay: DAY,
    requestHash: new Uint8Array(32).fill(number),
    days: new Map(Array.from({ length: 7 }, (_, k) => [DAY + k, new Uint8Array(32).fill(k)])),
  });

const records = await openLevelRecords(folder, OWNER);
const tags = tagRegistry(records);
for (let number = 1; number <= 5; number += 1) await enrol(tags, number);
const counts = [await tags.count()];
limitFiles(String(logBytes() + 300)); // in the middle of the sixth
const failed = await enrol(tags, 6).then(
  () => 0,
  () => 1,
);
limitFiles('unlimited');
for (let number = 7; number <= 106; number += 1) await enrol(tags, number);
counts.push(await tags.count());
await records.close();
const again = await openLevelRecords(folder, OWNER);
counts.push(await tagRegistry(again).count());
await again.close();
console.log([failed, ...counts].join(' '));
