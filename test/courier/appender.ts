/** Run on its own: appends to the spool in argv[2] until it is killed, and says whatever was acknowledged. */
import { writeSync } from 'node:fs';
import { openLevelSpool } from '../../courier/spool-level.js';
import { asUnixMs } from '../../protocol/brands.js';
import { ByteWriter } from '../../protocol/bytes.js';

const WRITER_ID = new Uint8Array(16).fill(7);
const say = (line: string): number => writeSync(1, `${line}\n`);

async function appendForEver(dir: string): Promise<void> {
  const spool = await openLevelSpool(dir, WRITER_ID);
  const append = async (number: number): Promise<void> => {
    const payload = new ByteWriter(2000).u32(number).bytes(new Uint8Array(1996)).finish();
    const [id] = await spool.append([{ type: 1, timeMs: asUnixMs(number), payload }]);
    say(`entry ${id} ${number}`);
  };
  for (let number = 0; ; number += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, k) => append(number + k)));
    const batch = await spool.form({ maxItems: 7, maxBytes: 1_048_576 });
    if (batch) say(`batch ${batch.seq} ${batch.ids.join(',')}`);
  }
}

await appendForEver(process.argv[2] ?? '');
