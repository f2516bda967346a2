/** A tracer that is closed while somebody still asks it to read on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../protocol/log.js';
import { openContactStore } from '../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../tracer/contacts/task-thread.js';
import { NOON, recordOf, reportOf } from './deployment.js';
import { MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

it('takes nothing more while it saves for the last time, and says so', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'closing-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const log = new MemoryLog();
  const write = (tag: number): unknown => log.append(reportOf({ tag, records: [recordOf(900, NOON, 600)] }));
  let late: Promise<unknown> | undefined;
  let isClosing = false;
  const rename = async (from: string, to: string): Promise<void> => {
    if (isClosing) {
      write(2);
      late ??= tracer.catchUp().then(
        () => 'read on',
        (error: Error) => error.message,
      );
      await late;
    }
    await NODE_STORE_DISK.rename(from, to);
  };
  const disk = { ...NODE_STORE_DISK, rename };
  const open = (on = NODE_STORE_DISK) =>
    openContactStore(dir, { log: silentLog, disk: on, startThread: inlineTasks(on) });
  const tracer = tracerOn(log, { contacts: await open(disk) });
  write(1);
  await tracer.catchUp(); // and saves: the border of retention has moved
  write(3);
  await tracer.catchUp();
  isClosing = true;
  await tracer.close();
  expect(await late).toBe('the tracer is closed');
  const again = tracerOn(log, { contacts: await open() });
  await again.catchUp();
  const inOneGo = tracerOn(log);
  await inOneGo.catchUp();
  expect(again.status()).toEqual(inOneGo.status());
  for (const one of [again, inOneGo]) await one.close();
});
