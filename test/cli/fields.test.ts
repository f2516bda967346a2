/** What a person who edited firebreak.json is told of the field that does not fit. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../../cli/folder/config.js';
import { createDeployment } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';

const edited = z.looseObject({ settings: z.looseObject({}), writers: z.array(z.unknown()) });
type Edited = z.infer<typeof edited>;

it.each<[string, (config: Edited) => unknown, string]>([
  ['a field that is gone', (was) => ({ ...was, origin: undefined }), 'origin is missing'],
  ['another format', (was) => ({ ...was, format: 'x' }), 'format must be "firebreak-data-1"'],
  ['text for a number', setting('retentionDays', '21'), 'settings.retentionDays must be a number'],
  ['half a day', setting('retentionDays', 0.5), 'settings.retentionDays must be a whole number'],
  ['too many days', setting('retentionDays', 366), 'settings.retentionDays must be at most 365'],
  ['no second', setting('sampleHoldSeconds', 0), 'settings.sampleHoldSeconds must be at least 1'],
  [
    'a window so short that a small step of the clock would end yesterday',
    setting('retentionDays', 2),
    'settings.retentionDays must be at least 3: a clock that goes wrong by 2 days is not noticed, and must not end today or yesterday',
  ],
  [
    'two thresholds',
    setting('attenuationThresholdsDb', [1, 2]),
    'settings.attenuationThresholdsDb is too short',
  ],
  ['a field that is none', (was) => ({ ...was, colour: 1 }), 'it holds colour, which does not belong there'],
  ['a writer without a name', (was) => ({ ...was, writers: [{}] }), 'writers.0.name is missing'],
  [
    'thresholds the wrong way round',
    setting('attenuationThresholdsDb', [73, 63, 55]),
    'settings.attenuationThresholdsDb must ascend: up to which dB a contact is immediate, near, medium',
  ],
  ['a key that is none', (was) => ({ ...was, auditPublicKey: 'ab' }), 'auditPublicKey must be 64 hex digits'],
  ['a list', () => [], 'it must be an object in {}'],
])('of %s', async (_what, edit, says) => {
  const folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-fields-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
  await createDeployment(folder, { settings: DEFAULT_SETTINGS });
  const config = edited.parse(JSON.parse(await readFile(folder.config, 'utf8')));
  await writeFile(folder.config, JSON.stringify(edit(config)));
  await expect(readConfig(folder)).rejects.toMatchObject({
    code: 'damaged',
    message: `${folder.config}: ${says}: put it back from a copy`,
  });
});

function setting(name: string, value: unknown): (config: Edited) => unknown {
  return (config) => ({ ...config, settings: { ...config.settings, [name]: value } });
}
