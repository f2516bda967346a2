/** Every air keeps the radio contract. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { radioContract } from '../contracts/radio-contract.js';
import { memoryLive, memoryVirtual, replayVirtual, socketOver, socketToProcess } from './stages.js';

radioContract('the in-memory air', memoryLive);
radioContract('the in-memory air under virtual time', memoryVirtual);
radioContract('the replayed air under virtual time', replayVirtual);
radioContract('an air behind a unix socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'air-'));
  return socketOver({ path: join(folder, 'air.sock') });
});
radioContract('an air behind a TCP socket', () => socketOver({ host: '127.0.0.1', port: 0 }));
radioContract('an air in another process', socketToProcess);
