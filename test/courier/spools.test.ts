import { memorySpool } from '../../courier/spool-memory.js';
import { DEFAULT_SPOOL_LIMITS } from '../../courier/spool.js';
import { describeSpool } from '../contracts/spool-contract.js';
import { levelSpool, temporaryFolder } from './folder.js';

describeSpool('a spool in memory', async () => ({
  open: async (limits) => memorySpool({ ...DEFAULT_SPOOL_LIMITS, ...limits }),
}));

describeSpool('a spool on disk', async () => {
  const dir = await temporaryFolder();
  return { open: (limits) => levelSpool(dir, limits) };
});
